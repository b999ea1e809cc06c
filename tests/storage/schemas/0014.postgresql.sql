SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE FUNCTION public.audit_log_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation'; END $$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.address_changes (
    user_id integer NOT NULL,
    digest character varying(64) NOT NULL,
    email character varying(255) NOT NULL,
    expires_at timestamp without time zone NOT NULL
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.api_keys (
    id character varying(16) NOT NULL,
    user_id integer NOT NULL,
    name character varying(80) NOT NULL,
    digest character varying(64) NOT NULL,
    scopes json NOT NULL,
    created_at timestamp without time zone NOT NULL,
    last_used_at timestamp without time zone,
    expires_at timestamp without time zone,
    revoked_at timestamp without time zone,
    daily integer
);

CREATE TABLE public.attempts (
    key character varying(255) NOT NULL,
    amount integer NOT NULL,
    expires_at double precision NOT NULL
);

CREATE TABLE public.audit_log (
    id integer NOT NULL,
    at timestamp without time zone NOT NULL,
    actor character varying(255) NOT NULL,
    account_id integer,
    action character varying(40) NOT NULL,
    subject character varying(255) NOT NULL,
    detail character varying(1000) NOT NULL,
    address character varying(45)
);

CREATE SEQUENCE public.audit_log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.audit_log_id_seq OWNED BY public.audit_log.id;

CREATE TABLE public.authenticators (
    user_id integer NOT NULL,
    secret character varying(255) NOT NULL,
    last_counter bigint NOT NULL,
    added_at timestamp without time zone NOT NULL
);

CREATE TABLE public.idempotent_requests (
    key_id character varying(16) NOT NULL,
    name character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    prediction_id character varying(26) NOT NULL,
    answer json,
    held_until timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL
);

CREATE TABLE public.identities (
    id integer NOT NULL,
    user_id integer NOT NULL,
    issuer character varying(255) NOT NULL,
    subject character varying(255) NOT NULL,
    linked_at timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.identities_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.identities_id_seq OWNED BY public.identities.id;

CREATE TABLE public.invitations (
    id integer NOT NULL,
    digest character varying(64) NOT NULL,
    email character varying(255) NOT NULL,
    admin boolean NOT NULL,
    invited_by character varying(255) NOT NULL,
    expires_at timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.invitations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.invitations_id_seq OWNED BY public.invitations.id;

CREATE TABLE public.logins (
    id integer NOT NULL,
    user_id integer NOT NULL,
    digest character varying(64) NOT NULL,
    browser character varying(255) NOT NULL,
    address character varying(45) NOT NULL,
    began_at timestamp without time zone NOT NULL,
    seen_at timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.logins_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.logins_id_seq OWNED BY public.logins.id;

CREATE TABLE public.passkeys (
    id integer NOT NULL,
    user_id integer NOT NULL,
    name character varying(80) NOT NULL,
    handle bytea NOT NULL,
    credential_id character varying(2046) NOT NULL,
    credential bytea NOT NULL,
    sign_count bigint NOT NULL,
    added_at timestamp without time zone NOT NULL,
    used_at timestamp without time zone
);

CREATE SEQUENCE public.passkeys_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.passkeys_id_seq OWNED BY public.passkeys.id;

CREATE TABLE public.predictions (
    id character varying(26) NOT NULL,
    user_id integer,
    guest character varying(32),
    model character varying(63) NOT NULL,
    version character varying(16) NOT NULL,
    label character varying(255) NOT NULL,
    probability double precision NOT NULL,
    scores json NOT NULL,
    picture json NOT NULL,
    timings json NOT NULL,
    file_name character varying(255),
    created_at timestamp without time zone NOT NULL
);

CREATE TABLE public.recovery_codes (
    id integer NOT NULL,
    user_id integer NOT NULL,
    digest character varying(64) NOT NULL
);

CREATE SEQUENCE public.recovery_codes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.recovery_codes_id_seq OWNED BY public.recovery_codes.id;

CREATE TABLE public.roles (
    id integer NOT NULL,
    name character varying(80) NOT NULL,
    description character varying(255),
    permissions text
);

CREATE SEQUENCE public.roles_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.roles_id_seq OWNED BY public.roles.id;

CREATE TABLE public.roles_users (
    user_id integer NOT NULL,
    role_id integer NOT NULL
);

CREATE TABLE public.shadow_answers (
    id integer NOT NULL,
    model character varying(63) NOT NULL,
    version character varying(16) NOT NULL,
    against character varying(16) NOT NULL,
    prediction_id character varying(26),
    label character varying(255) NOT NULL,
    probability double precision NOT NULL,
    shadow_label character varying(255),
    shadow_probability double precision,
    difference double precision,
    ms double precision,
    passed_over integer NOT NULL,
    created_at timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.shadow_answers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.shadow_answers_id_seq OWNED BY public.shadow_answers.id;

CREATE TABLE public.sums (
    span integer NOT NULL,
    measure character varying(16) NOT NULL,
    begins_at bigint NOT NULL,
    model character varying(63) NOT NULL,
    version character varying(16) NOT NULL,
    detail character varying(255) NOT NULL,
    amount bigint NOT NULL,
    total double precision NOT NULL
);

CREATE TABLE public.users (
    id integer NOT NULL,
    email character varying(255) NOT NULL,
    password character varying(255),
    active boolean NOT NULL,
    fs_uniquifier character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    logged_in_at timestamp without time zone
);

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;

ALTER TABLE ONLY public.audit_log ALTER COLUMN id SET DEFAULT nextval('public.audit_log_id_seq'::regclass);

ALTER TABLE ONLY public.identities ALTER COLUMN id SET DEFAULT nextval('public.identities_id_seq'::regclass);

ALTER TABLE ONLY public.invitations ALTER COLUMN id SET DEFAULT nextval('public.invitations_id_seq'::regclass);

ALTER TABLE ONLY public.logins ALTER COLUMN id SET DEFAULT nextval('public.logins_id_seq'::regclass);

ALTER TABLE ONLY public.passkeys ALTER COLUMN id SET DEFAULT nextval('public.passkeys_id_seq'::regclass);

ALTER TABLE ONLY public.recovery_codes ALTER COLUMN id SET DEFAULT nextval('public.recovery_codes_id_seq'::regclass);

ALTER TABLE ONLY public.roles ALTER COLUMN id SET DEFAULT nextval('public.roles_id_seq'::regclass);

ALTER TABLE ONLY public.shadow_answers ALTER COLUMN id SET DEFAULT nextval('public.shadow_answers_id_seq'::regclass);

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

INSERT INTO public.address_changes VALUES (2, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 'bob@example.net', '2026-07-01 12:00:00');
INSERT INTO public.address_changes VALUES (7, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee@example.net', '0001-01-01 00:00:00');

INSERT INTO public.alembic_version VALUES ('0014');

INSERT INTO public.api_keys VALUES ('a1b2c3d4e5f6', 1, 'laptop', '8414cd6b08e92be7f34132d9f8fabaa0cf0f072bab807b434e7ff02efc918a1e', '["predict","history:read","models:read","models:write","admin"]', '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00', NULL, NULL, NULL);
INSERT INTO public.api_keys VALUES ('ffffffffffffffff', 2, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '0000000000000000000000000000000000000000000000000000000000000000', '[]', '0001-01-01 00:00:00', NULL, '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', 1000000000);

INSERT INTO public.attempts VALUES ('login:ada@example.org', 10, 1781000000.123456);
INSERT INTO public.attempts VALUES ('it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 0, -0);
INSERT INTO public.attempts VALUES ('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 2147483647, 1.7976931348623157e+308);

INSERT INTO public.audit_log VALUES (1, '2024-02-29 23:59:59.000001', 'command line', NULL, 'made', 'account ada@example.org', '', NULL);
INSERT INTO public.audit_log VALUES (2, '9999-12-31 23:59:59.999999', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '2001:db8::1');
INSERT INTO public.audit_log VALUES (40, '0001-01-01 00:00:00', 'gone@example.org', 2000000000, 'imported', 'model cats-vs-dogs', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '192.0.2.1');

INSERT INTO public.authenticators VALUES (1, 'gAAAAABrC-3HIB10BeRBSgdeEpuYHcgNeYW1WFRUZh6eEWy96kFK0oHHlINouF3_n7nxwpycXSXGvIwM5TOj9HZJp_84IhioQu_gialy-SWIz7zv5SZL1aY=', 4611686018427387904, '2024-02-29 23:59:59.000001');
INSERT INTO public.authenticators VALUES (7, 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', -1, '9999-12-31 23:59:59.999999');

INSERT INTO public.idempotent_requests VALUES ('a1b2c3d4e5f6', 'once', '1111111111111111111111111111111111111111111111111111111111111111', '01J00000000000000000000001', '{"label":"cat","scores":[0.1,1e-300],"odd":"it''s \"odd\"; -- \\n %s :name ? {0}\n\téß中😺‮","none":null}', '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00');
INSERT INTO public.idempotent_requests VALUES ('a1b2c3d4e5f6', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '', 'zzzzzzzzzzzzzzzzzzzzzzzzzz', NULL, '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999');

INSERT INTO public.identities VALUES (1, 1, 'https://login.example.org', '00u1', '2024-02-29 23:59:59.000001');
INSERT INTO public.identities VALUES (2, 2, 'https://login.example.org', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '9999-12-31 23:59:59.999999');
INSERT INTO public.identities VALUES (3, 1, 'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', '0001-01-01 00:00:00');

INSERT INTO public.invitations VALUES (1, 'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii', 'new@example.org', true, 'ada@example.org', '2026-07-01 12:00:00');
INSERT INTO public.invitations VALUES (5, 'jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj', 'x''y@example.org', false, '', '9999-12-31 23:59:59.999999');

INSERT INTO public.logins VALUES (3, 1, '3333333333333333333333333333333333333333333333333333333333333333', 'Firefox on Linux', '127.0.0.1', '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00');
INSERT INTO public.logins VALUES (9, 2, '9999999999999999999999999999999999999999999999999999999999999999', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 'ffff:ffff:ffff:ffff:ffff:ffff', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999');

INSERT INTO public.passkeys VALUES (1, 1, 'security key', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'YWJj', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 4294967295, '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00');
INSERT INTO public.passkeys VALUES (4, 7, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '\x00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '\x', 0, '9999-12-31 23:59:59.999999', NULL);

INSERT INTO public.predictions VALUES ('01J00000000000000000000001', 1, NULL, 'cats-vs-dogs', '1', 'cat', 0.30000000000000004, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'cat.png', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000002', NULL, '99999999999999999999999999999999', 'cats-vs-dogs', '1', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 1, '[["it''s \"odd\"; -- \\n %s :name ? {0}\n\téß中😺‮",1.0]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000003', 2000000000, NULL, 'cats-vs-dogs', '1', 'cat', 5e-324, '[]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{}', NULL, '9999-12-31 23:59:59.999999');
INSERT INTO public.predictions VALUES ('01J00000000000000000000004', NULL, NULL, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', '9999999999999999', 'lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll', 0, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000005', 1, NULL, 'cats-vs-dogs', '1', '', 0.30000000000000004, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":16384,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":[]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', '', '0001-01-01 00:00:00');
INSERT INTO public.predictions VALUES ('01J00000000000000000000006', 1, NULL, 'cats-vs-dogs', '007', 'null', 0.30000000000000004, '[["null",1e+22],["true",9007199254740992]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'NULL', '2024-02-29 23:59:59.000001');

INSERT INTO public.recovery_codes VALUES (1, 1, 'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr');
INSERT INTO public.recovery_codes VALUES (2, 1, 'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr');
INSERT INTO public.recovery_codes VALUES (11, 7, 'tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt');

INSERT INTO public.roles VALUES (1, 'admin', NULL, NULL);
INSERT INTO public.roles VALUES (2, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 'ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'read,write');

INSERT INTO public.roles_users VALUES (1, 1);
INSERT INTO public.roles_users VALUES (1, 2);
INSERT INTO public.roles_users VALUES (2000000000, 1);

INSERT INTO public.shadow_answers VALUES (1, 'cats-vs-dogs', '2', '1', '01J00000000000000000000001', 'cat', 0.30000000000000004, 'dog', 0.7, 0.39999999999999997, 1e-07, 0, '2024-02-29 23:59:59.000001');
INSERT INTO public.shadow_answers VALUES (8, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', '9999999999999999', '', NULL, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 5e-324, NULL, NULL, NULL, NULL, 2147483647, '9999-12-31 23:59:59.999999');

INSERT INTO public.sums VALUES (60, 'total', 0, 'm', '1', '', 1, 1e-07);
INSERT INTO public.sums VALUES (3600, 'classes', 1099511627776, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', '9999999999999999', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 4611686018427387904, 0.30000000000000004);

INSERT INTO public.users VALUES (1, 'ada@example.org', '$argon2id$v=19$m=65536,t=3,p=4$FpwKui3dA+ItmkjwWKAe2g$l/jVvE2ecSA9MHNuqmf9UN3auHUV4FNRVujCHk6Gdk4', true, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00');
INSERT INTO public.users VALUES (2, 'O''Bob+x@exämple.org', NULL, false, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '0001-01-01 00:00:00', NULL);
INSERT INTO public.users VALUES (7, 'eve@example.org', '', true, '', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999');
INSERT INTO public.users VALUES (2000000000, 'lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll@example.org', 'ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp', true, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '2026-07-01 12:00:00', '0001-01-01 00:00:00');

SELECT pg_catalog.setval('public.audit_log_id_seq', 40, true);

SELECT pg_catalog.setval('public.identities_id_seq', 3, true);

SELECT pg_catalog.setval('public.invitations_id_seq', 5, true);

SELECT pg_catalog.setval('public.logins_id_seq', 9, true);

SELECT pg_catalog.setval('public.passkeys_id_seq', 4, true);

SELECT pg_catalog.setval('public.recovery_codes_id_seq', 11, true);

SELECT pg_catalog.setval('public.roles_id_seq', 2, true);

SELECT pg_catalog.setval('public.shadow_answers_id_seq', 8, true);

SELECT pg_catalog.setval('public.users_id_seq', 2000000000, true);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.address_changes
    ADD CONSTRAINT pk_address_changes PRIMARY KEY (user_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (key);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT pk_audit_log PRIMARY KEY (id);

ALTER TABLE ONLY public.authenticators
    ADD CONSTRAINT pk_authenticators PRIMARY KEY (user_id);

ALTER TABLE ONLY public.idempotent_requests
    ADD CONSTRAINT pk_idempotent_requests PRIMARY KEY (key_id, name);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT pk_identities PRIMARY KEY (id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT pk_invitations PRIMARY KEY (id);

ALTER TABLE ONLY public.logins
    ADD CONSTRAINT pk_logins PRIMARY KEY (id);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT pk_passkeys PRIMARY KEY (id);

ALTER TABLE ONLY public.predictions
    ADD CONSTRAINT pk_predictions PRIMARY KEY (id);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT pk_recovery_codes PRIMARY KEY (id);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT pk_roles PRIMARY KEY (id);

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT pk_roles_users PRIMARY KEY (user_id, role_id);

ALTER TABLE ONLY public.shadow_answers
    ADD CONSTRAINT pk_shadow_answers PRIMARY KEY (id);

ALTER TABLE ONLY public.sums
    ADD CONSTRAINT pk_sums PRIMARY KEY (span, measure, begins_at, model, version, detail);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);

ALTER TABLE ONLY public.address_changes
    ADD CONSTRAINT uq_address_changes_digest UNIQUE (digest);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT uq_identities_issuer UNIQUE (issuer, subject);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT uq_identities_user_id UNIQUE (user_id, issuer);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT uq_invitations_digest UNIQUE (digest);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT uq_invitations_email UNIQUE (email);

ALTER TABLE ONLY public.logins
    ADD CONSTRAINT uq_logins_digest UNIQUE (digest);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_name UNIQUE (name);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_email UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_fs_uniquifier UNIQUE (fs_uniquifier);

CREATE INDEX ix_api_keys_user_id ON public.api_keys USING btree (user_id);

CREATE INDEX ix_attempts_expires_at ON public.attempts USING btree (expires_at);

CREATE INDEX ix_audit_log_account_id ON public.audit_log USING btree (account_id);

CREATE INDEX ix_audit_log_subject_id ON public.audit_log USING btree (subject, id);

CREATE INDEX ix_idempotent_requests_expires_at ON public.idempotent_requests USING btree (expires_at);

CREATE INDEX ix_logins_began_at ON public.logins USING btree (began_at);

CREATE INDEX ix_logins_user_id ON public.logins USING btree (user_id);

CREATE INDEX ix_passkeys_user_id ON public.passkeys USING btree (user_id);

CREATE INDEX ix_predictions_user_id_guest_id ON public.predictions USING btree (user_id, guest, id);

CREATE INDEX ix_recovery_codes_user_id ON public.recovery_codes USING btree (user_id);

CREATE INDEX ix_shadow_answers_model_id ON public.shadow_answers USING btree (model, id);

CREATE INDEX ix_shadow_answers_prediction_id ON public.shadow_answers USING btree (prediction_id);

CREATE TRIGGER audit_log_never_changed BEFORE UPDATE ON public.audit_log FOR EACH ROW WHEN (((new.account_id IS NOT NULL) OR (new.id IS DISTINCT FROM old.id) OR (new.at IS DISTINCT FROM old.at) OR ((new.actor)::text IS DISTINCT FROM (old.actor)::text) OR ((new.action)::text IS DISTINCT FROM (old.action)::text) OR ((new.subject)::text IS DISTINCT FROM (old.subject)::text) OR ((new.detail)::text IS DISTINCT FROM (old.detail)::text) OR ((new.address)::text IS DISTINCT FROM (old.address)::text))) EXECUTE FUNCTION public.audit_log_refuse();

CREATE TRIGGER audit_log_never_deleted BEFORE DELETE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.audit_log_refuse();

CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.audit_log_refuse();

ALTER TABLE ONLY public.address_changes
    ADD CONSTRAINT fk_address_changes_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT fk_audit_log_account_id_users FOREIGN KEY (account_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.authenticators
    ADD CONSTRAINT fk_authenticators_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotent_requests
    ADD CONSTRAINT fk_idempotent_requests_key_id_api_keys FOREIGN KEY (key_id) REFERENCES public.api_keys(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT fk_identities_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.logins
    ADD CONSTRAINT fk_logins_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT fk_passkeys_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.predictions
    ADD CONSTRAINT fk_predictions_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT fk_roles_users_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT fk_roles_users_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.shadow_answers
    ADD CONSTRAINT fk_shadow_answers_prediction_id_predictions FOREIGN KEY (prediction_id) REFERENCES public.predictions(id) ON DELETE CASCADE;
