BEGIN TRANSACTION;
CREATE TABLE address_changes (
	user_id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	email VARCHAR(255) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_address_changes PRIMARY KEY (user_id), 
	CONSTRAINT fk_address_changes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_address_changes_digest UNIQUE (digest)
);
INSERT INTO "address_changes" VALUES(2,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','bob@example.net','2026-07-01 12:00:00.000000');
INSERT INTO "address_changes" VALUES(7,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee@example.net','0001-01-01 00:00:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0014');
CREATE TABLE api_keys (
	id VARCHAR(16) NOT NULL, 
	user_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	scopes JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, 
	expires_at DATETIME, 
	revoked_at DATETIME, daily INTEGER, 
	CONSTRAINT pk_api_keys PRIMARY KEY (id), 
	CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "api_keys" VALUES('a1b2c3d4e5f6',1,'laptop','8414cd6b08e92be7f34132d9f8fabaa0cf0f072bab807b434e7ff02efc918a1e','["predict","history:read","models:read","models:write","admin"]','2024-02-29 23:59:59.000001','2026-07-01 12:00:00.000000',NULL,NULL,NULL);
INSERT INTO "api_keys" VALUES('ffffffffffffffff',2,'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','0000000000000000000000000000000000000000000000000000000000000000','[]','0001-01-01 00:00:00.000000',NULL,'0001-01-01 00:00:00.000000','9999-12-31 23:59:59.999999',1000000000);
CREATE TABLE attempts (
	"key" VARCHAR(255) NOT NULL, 
	amount INTEGER NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY ("key")
);
INSERT INTO "attempts" VALUES('login:ada@example.org',10,1.78100000012345600127e+09);
INSERT INTO "attempts" VALUES('it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',0,0.0);
INSERT INTO "attempts" VALUES('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk',2147483647,1.79769313486231562234e+308);
CREATE TABLE audit_log (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR(255) NOT NULL, 
	account_id INTEGER, 
	action VARCHAR(40) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	detail VARCHAR(1000) NOT NULL, address VARCHAR(45), 
	CONSTRAINT pk_audit_log PRIMARY KEY (id), 
	CONSTRAINT fk_audit_log_account_id_users FOREIGN KEY(account_id) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "audit_log" VALUES(1,'2024-02-29 23:59:59.000001','command line',NULL,'made','account ada@example.org','',NULL);
INSERT INTO "audit_log" VALUES(2,'9999-12-31 23:59:59.999999','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','2001:db8::1');
INSERT INTO "audit_log" VALUES(40,'0001-01-01 00:00:00.000000','gone@example.org',2000000000,'imported','model cats-vs-dogs','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','192.0.2.1');
CREATE TABLE authenticators (
	user_id INTEGER NOT NULL, 
	secret VARCHAR(255) NOT NULL, 
	last_counter BIGINT NOT NULL, 
	added_at DATETIME NOT NULL, 
	CONSTRAINT pk_authenticators PRIMARY KEY (user_id), 
	CONSTRAINT fk_authenticators_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "authenticators" VALUES(1,'gAAAAABrC-3HIB10BeRBSgdeEpuYHcgNeYW1WFRUZh6eEWy96kFK0oHHlINouF3_n7nxwpycXSXGvIwM5TOj9HZJp_84IhioQu_gialy-SWIz7zv5SZL1aY=',4611686018427387904,'2024-02-29 23:59:59.000001');
INSERT INTO "authenticators" VALUES(7,'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss',-1,'9999-12-31 23:59:59.999999');
CREATE TABLE idempotent_requests (
	key_id VARCHAR(16) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	prediction_id VARCHAR(26) NOT NULL, 
	answer JSON, 
	held_until DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotent_requests PRIMARY KEY (key_id, name), 
	CONSTRAINT fk_idempotent_requests_key_id_api_keys FOREIGN KEY(key_id) REFERENCES api_keys (id) ON DELETE CASCADE
);
INSERT INTO "idempotent_requests" VALUES('a1b2c3d4e5f6','once','1111111111111111111111111111111111111111111111111111111111111111','01J00000000000000000000001','{"label":"cat","scores":[0.1,1e-300],"odd":"it''s \"odd\"; -- \\n %s :name ? {0}\n\téß中😺‮","none":null}','2024-02-29 23:59:59.000001','2026-07-01 12:00:00.000000');
INSERT INTO "idempotent_requests" VALUES('a1b2c3d4e5f6','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','','zzzzzzzzzzzzzzzzzzzzzzzzzz',NULL,'0001-01-01 00:00:00.000000','9999-12-31 23:59:59.999999');
CREATE TABLE identities (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	issuer VARCHAR(255) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	linked_at DATETIME NOT NULL, 
	CONSTRAINT pk_identities PRIMARY KEY (id), 
	CONSTRAINT fk_identities_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_identities_issuer UNIQUE (issuer, subject), 
	CONSTRAINT uq_identities_user_id UNIQUE (user_id, issuer)
);
INSERT INTO "identities" VALUES(1,1,'https://login.example.org','00u1','2024-02-29 23:59:59.000001');
INSERT INTO "identities" VALUES(2,2,'https://login.example.org','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','9999-12-31 23:59:59.999999');
INSERT INTO "identities" VALUES(3,1,'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii','sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss','0001-01-01 00:00:00.000000');
CREATE TABLE invitations (
	id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	email VARCHAR(255) NOT NULL, 
	admin BOOLEAN NOT NULL, 
	invited_by VARCHAR(255) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_invitations PRIMARY KEY (id), 
	CONSTRAINT uq_invitations_digest UNIQUE (digest), 
	CONSTRAINT uq_invitations_email UNIQUE (email)
);
INSERT INTO "invitations" VALUES(1,'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii','new@example.org',1,'ada@example.org','2026-07-01 12:00:00.000000');
INSERT INTO "invitations" VALUES(5,'jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj','x''y@example.org',0,'','9999-12-31 23:59:59.999999');
CREATE TABLE logins (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	browser VARCHAR(255) NOT NULL, 
	address VARCHAR(45) NOT NULL, 
	began_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_logins PRIMARY KEY (id), 
	CONSTRAINT fk_logins_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_logins_digest UNIQUE (digest)
);
INSERT INTO "logins" VALUES(3,1,'3333333333333333333333333333333333333333333333333333333333333333','Firefox on Linux','127.0.0.1','2024-02-29 23:59:59.000001','2026-07-01 12:00:00.000000');
INSERT INTO "logins" VALUES(9,2,'9999999999999999999999999999999999999999999999999999999999999999','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','ffff:ffff:ffff:ffff:ffff:ffff','0001-01-01 00:00:00.000000','9999-12-31 23:59:59.999999');
CREATE TABLE passkeys (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	handle BLOB NOT NULL, 
	credential_id VARCHAR(2046) NOT NULL, 
	credential BLOB NOT NULL, 
	sign_count BIGINT NOT NULL, 
	added_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_passkeys PRIMARY KEY (id), 
	CONSTRAINT fk_passkeys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id)
);
INSERT INTO "passkeys" VALUES(1,1,'security key',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F','YWJj',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF',4294967295,'2024-02-29 23:59:59.000001','2026-07-01 12:00:00.000000');
INSERT INTO "passkeys" VALUES(4,7,'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',X'00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',X'',0,'9999-12-31 23:59:59.999999',NULL);
CREATE TABLE predictions (
	id VARCHAR(26) NOT NULL, 
	user_id INTEGER, 
	guest VARCHAR(32), 
	model VARCHAR(63) NOT NULL, 
	version VARCHAR(16) NOT NULL, 
	label VARCHAR(255) NOT NULL, 
	probability DOUBLE NOT NULL, 
	scores JSON NOT NULL, 
	picture JSON NOT NULL, 
	timings JSON NOT NULL, 
	file_name VARCHAR(255), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_predictions PRIMARY KEY (id), 
	CONSTRAINT fk_predictions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "predictions" VALUES('01J00000000000000000000001',1,NULL,'cats-vs-dogs','1','cat',3.00000000000000044408e-01,'[["cat",0.30000000000000004],["dog",0.7]]','{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}','{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}','cat.png','2024-02-29 23:59:59.000001');
INSERT INTO "predictions" VALUES('01J00000000000000000000002',NULL,'99999999999999999999999999999999','cats-vs-dogs','1','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',1.0,'[["it''s \"odd\"; -- \\n %s :name ? {0}\n\téß中😺‮",1.0]]','{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}','{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','2024-02-29 23:59:59.000001');
INSERT INTO "predictions" VALUES('01J00000000000000000000003',2000000000,NULL,'cats-vs-dogs','1','cat',4.94065645841247e-324,'[]','{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}','{}',NULL,'9999-12-31 23:59:59.999999');
INSERT INTO "predictions" VALUES('01J00000000000000000000004',NULL,NULL,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','9999999999999999','lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll',0.0,'[["cat",0.30000000000000004],["dog",0.7]]','{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}','{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}','fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff','2024-02-29 23:59:59.000001');
INSERT INTO "predictions" VALUES('01J00000000000000000000005',1,NULL,'cats-vs-dogs','1','',3.00000000000000044408e-01,'[["cat",0.30000000000000004],["dog",0.7]]','{"format":"PNG","width":16384,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":[]}','{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}','','0001-01-01 00:00:00.000000');
INSERT INTO "predictions" VALUES('01J00000000000000000000006',1,NULL,'cats-vs-dogs','007','null',3.00000000000000044408e-01,'[["null",1e+22],["true",9007199254740992]]','{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}','{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}','NULL','2024-02-29 23:59:59.000001');
CREATE TABLE recovery_codes (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_recovery_codes PRIMARY KEY (id), 
	CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "recovery_codes" VALUES(1,1,'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr');
INSERT INTO "recovery_codes" VALUES(2,1,'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr');
INSERT INTO "recovery_codes" VALUES(11,7,'tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt');
CREATE TABLE roles (
	id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	description VARCHAR(255), 
	permissions TEXT, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT uq_roles_name UNIQUE (name)
);
INSERT INTO "roles" VALUES(1,'admin',NULL,NULL);
INSERT INTO "roles" VALUES(2,'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','read,write');
CREATE TABLE roles_users (
	user_id INTEGER NOT NULL, 
	role_id INTEGER NOT NULL, 
	CONSTRAINT pk_roles_users PRIMARY KEY (user_id, role_id), 
	CONSTRAINT fk_roles_users_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_roles_users_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "roles_users" VALUES(1,1);
INSERT INTO "roles_users" VALUES(1,2);
INSERT INTO "roles_users" VALUES(2000000000,1);
CREATE TABLE shadow_answers (
	id INTEGER NOT NULL, 
	model VARCHAR(63) NOT NULL, 
	version VARCHAR(16) NOT NULL, 
	against VARCHAR(16) NOT NULL, 
	prediction_id VARCHAR(26), 
	label VARCHAR(255) NOT NULL, 
	probability DOUBLE NOT NULL, 
	shadow_label VARCHAR(255), 
	shadow_probability DOUBLE, 
	difference DOUBLE, 
	ms DOUBLE, 
	passed_over INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_shadow_answers PRIMARY KEY (id), 
	CONSTRAINT fk_shadow_answers_prediction_id_predictions FOREIGN KEY(prediction_id) REFERENCES predictions (id) ON DELETE CASCADE
);
INSERT INTO "shadow_answers" VALUES(1,'cats-vs-dogs','2','1','01J00000000000000000000001','cat',3.00000000000000044408e-01,'dog',0.7,3.99999999999999966693e-01,1.0e-07,0,'2024-02-29 23:59:59.000001');
INSERT INTO "shadow_answers" VALUES(8,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','9999999999999999','',NULL,'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',4.94065645841247e-324,NULL,NULL,NULL,NULL,2147483647,'9999-12-31 23:59:59.999999');
CREATE TABLE sums (
	span INTEGER NOT NULL, 
	measure VARCHAR(16) NOT NULL, 
	begins_at BIGINT NOT NULL, 
	model VARCHAR(63) NOT NULL, 
	version VARCHAR(16) NOT NULL, 
	detail VARCHAR(255) NOT NULL, 
	amount BIGINT NOT NULL, 
	total DOUBLE NOT NULL, 
	CONSTRAINT pk_sums PRIMARY KEY (span, measure, begins_at, model, version, detail)
)
 WITHOUT ROWID

;
INSERT INTO "sums" VALUES(60,'total',0,'m','1','',1,1.0e-07);
INSERT INTO "sums" VALUES(3600,'classes',1099511627776,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','9999999999999999','it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮',4611686018427387904,3.00000000000000044408e-01);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	email VARCHAR(255) NOT NULL, 
	password VARCHAR(255), 
	active BOOLEAN NOT NULL, 
	fs_uniquifier VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, logged_in_at DATETIME, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_email UNIQUE (email), 
	CONSTRAINT uq_users_fs_uniquifier UNIQUE (fs_uniquifier)
);
INSERT INTO "users" VALUES(1,'ada@example.org','$argon2id$v=19$m=65536,t=3,p=4$FpwKui3dA+ItmkjwWKAe2g$l/jVvE2ecSA9MHNuqmf9UN3auHUV4FNRVujCHk6Gdk4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2024-02-29 23:59:59.000001','2026-07-01 12:00:00.000000');
INSERT INTO "users" VALUES(2,'O''Bob+x@exämple.org',NULL,0,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','0001-01-01 00:00:00.000000',NULL);
INSERT INTO "users" VALUES(7,'eve@example.org','',1,'','9999-12-31 23:59:59.999999','9999-12-31 23:59:59.999999');
INSERT INTO "users" VALUES(2000000000,'lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll@example.org','ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp',1,'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮','2026-07-01 12:00:00.000000','0001-01-01 00:00:00.000000');
CREATE INDEX ix_attempts_expires_at ON attempts (expires_at);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
CREATE INDEX ix_audit_log_account_id ON audit_log (account_id);
CREATE INDEX ix_audit_log_subject_id ON audit_log (subject, id);
CREATE INDEX ix_predictions_user_id_guest_id ON predictions (user_id, guest, id);
CREATE INDEX ix_idempotent_requests_expires_at ON idempotent_requests (expires_at);
CREATE INDEX ix_logins_user_id ON logins (user_id);
CREATE INDEX ix_logins_began_at ON logins (began_at);
CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id);
CREATE INDEX ix_passkeys_user_id ON passkeys (user_id);
CREATE TRIGGER audit_log_never_deleted BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_log_never_changed BEFORE UPDATE ON audit_log WHEN NEW.account_id IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor OR NEW.action IS NOT OLD.action OR NEW.subject IS NOT OLD.subject OR NEW.detail IS NOT OLD.detail OR NEW.address IS NOT OLD.address BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_log_never_replaced BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE INDEX ix_shadow_answers_prediction_id ON shadow_answers (prediction_id);
CREATE INDEX ix_shadow_answers_model_id ON shadow_answers (model, id);
COMMIT;
