-- Run once by the PostgreSQL image, as its superuser, when the data volume is empty: both databases and their users.
-- The roles oneo_app, oneo_system and oneo_removal are made by `oneo migrate`, which also makes user oneo a member of them.
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD
\getenv owner_password OWNER_DATABASE_PASSWORD
\getenv app_password APP_DATABASE_PASSWORD

CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow FROM PUBLIC;

-- Migrations only: owns the tables, creates the roles.
CREATE ROLE oneo_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE oneo OWNER oneo_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE oneo FROM PUBLIC;

-- Every service: owns nothing, so that row-level security binds it.
CREATE ROLE oneo LOGIN PASSWORD :'app_password';
GRANT CONNECT ON DATABASE oneo TO oneo;
