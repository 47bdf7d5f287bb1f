#!/bin/sh
# Prints an .env file with fresh random secrets for docker-compose.airflow.yml: sh docker/make-env.sh > .env
# Keep it: without AIRFLOW_FERNET_KEY, stored connections and variables cannot be read again.
set -eu

hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
# 32 bytes in the URL-safe alphabet, as Fernet wants them.
fernet() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }

cat <<END
POSTGRES_PASSWORD=$(hex 24)
AIRFLOW_DATABASE_PASSWORD=$(hex 24)
OWNER_DATABASE_PASSWORD=$(hex 24)
APP_DATABASE_PASSWORD=$(hex 24)
REDIS_PASSWORD=$(hex 24)
AIRFLOW_FERNET_KEY=$(fernet)
AIRFLOW_JWT_SECRET=$(hex 64)
AIRFLOW_API_SECRET_KEY=$(hex 32)
AIRFLOW_ADMIN_EMAIL=admin@example.com
AIRFLOW_ADMIN_PASSWORD=$(hex 12)
END
