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

SET default_tablespace = '';

SET default_table_access_method = heap;

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
    revoked_at timestamp without time zone
);

CREATE TABLE public.attempts (
    key character varying(255) NOT NULL,
    amount integer NOT NULL,
    expires_at double precision NOT NULL
);

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

CREATE TABLE public.users (
    id integer NOT NULL,
    email character varying(255) NOT NULL,
    password character varying(255),
    active boolean NOT NULL,
    fs_uniquifier character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;

ALTER TABLE ONLY public.roles ALTER COLUMN id SET DEFAULT nextval('public.roles_id_seq'::regclass);

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

INSERT INTO public.alembic_version VALUES ('0001');

INSERT INTO public.api_keys VALUES ('a1b2c3d4e5f6', 1, 'laptop', '8414cd6b08e92be7f34132d9f8fabaa0cf0f072bab807b434e7ff02efc918a1e', '["predict","history:read","models:read","models:write","admin"]', '2024-02-29 23:59:59.000001', '2026-07-01 12:00:00', NULL, NULL);
INSERT INTO public.api_keys VALUES ('ffffffffffffffff', 2, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '0000000000000000000000000000000000000000000000000000000000000000', '[]', '0001-01-01 00:00:00', NULL, '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999');

INSERT INTO public.attempts VALUES ('login:ada@example.org', 10, 1781000000.123456);
INSERT INTO public.attempts VALUES ('it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 0, -0);
INSERT INTO public.attempts VALUES ('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 2147483647, 1.7976931348623157e+308);

INSERT INTO public.predictions VALUES ('01J00000000000000000000001', 1, NULL, 'cats-vs-dogs', '1', 'cat', 0.30000000000000004, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'cat.png', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000002', NULL, '99999999999999999999999999999999', 'cats-vs-dogs', '1', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 1, '[["it''s \"odd\"; -- \\n %s :name ? {0}\n\téß中😺‮",1.0]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000003', 2000000000, NULL, 'cats-vs-dogs', '1', 'cat', 5e-324, '[]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{}', NULL, '9999-12-31 23:59:59.999999');
INSERT INTO public.predictions VALUES ('01J00000000000000000000004', NULL, NULL, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', '9999999999999999', 'lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll', 0, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', '2024-02-29 23:59:59.000001');
INSERT INTO public.predictions VALUES ('01J00000000000000000000005', 1, NULL, 'cats-vs-dogs', '1', '', 0.30000000000000004, '[["cat",0.30000000000000004],["dog",0.7]]', '{"format":"PNG","width":16384,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":[]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', '', '0001-01-01 00:00:00');
INSERT INTO public.predictions VALUES ('01J00000000000000000000006', 1, NULL, 'cats-vs-dogs', '007', 'null', 0.30000000000000004, '[["null",1e+22],["true",9007199254740992]]', '{"format":"PNG","width":32,"height":24,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","steps":["grey to RGB","é"]}', '{"decode":1.5,"queue":0.0,"model":1e-7,"total":123456.789,"store":0.1}', 'NULL', '2024-02-29 23:59:59.000001');

INSERT INTO public.roles VALUES (1, 'admin', NULL, NULL);
INSERT INTO public.roles VALUES (2, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', 'ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'read,write');

INSERT INTO public.roles_users VALUES (1, 1);
INSERT INTO public.roles_users VALUES (1, 2);
INSERT INTO public.roles_users VALUES (2000000000, 1);

INSERT INTO public.users VALUES (1, 'ada@example.org', '$argon2id$v=19$m=65536,t=3,p=4$FpwKui3dA+ItmkjwWKAe2g$l/jVvE2ecSA9MHNuqmf9UN3auHUV4FNRVujCHk6Gdk4', true, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2024-02-29 23:59:59.000001');
INSERT INTO public.users VALUES (2, 'O''Bob+x@exämple.org', NULL, false, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '0001-01-01 00:00:00');
INSERT INTO public.users VALUES (7, 'eve@example.org', '', true, '', '9999-12-31 23:59:59.999999');
INSERT INTO public.users VALUES (2000000000, 'lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll@example.org', 'ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp', true, 'it''s "odd"; -- \n %s :name ? {0}
	éß中😺‮', '2026-07-01 12:00:00');

SELECT pg_catalog.setval('public.roles_id_seq', 2, true);

SELECT pg_catalog.setval('public.users_id_seq', 2000000000, true);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (key);

ALTER TABLE ONLY public.predictions
    ADD CONSTRAINT pk_predictions PRIMARY KEY (id);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT pk_roles PRIMARY KEY (id);

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT pk_roles_users PRIMARY KEY (user_id, role_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_name UNIQUE (name);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_email UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_fs_uniquifier UNIQUE (fs_uniquifier);

CREATE INDEX ix_api_keys_user_id ON public.api_keys USING btree (user_id);

CREATE INDEX ix_attempts_expires_at ON public.attempts USING btree (expires_at);

CREATE INDEX ix_predictions_created_at ON public.predictions USING btree (created_at);

CREATE INDEX ix_predictions_guest_id ON public.predictions USING btree (guest, id);

CREATE INDEX ix_predictions_user_id_id ON public.predictions USING btree (user_id, id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.predictions
    ADD CONSTRAINT fk_predictions_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT fk_roles_users_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.roles_users
    ADD CONSTRAINT fk_roles_users_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
