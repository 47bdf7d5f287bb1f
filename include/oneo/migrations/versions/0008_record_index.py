"""An index of the values of fields that are searched: those a pipeline calls unique or indexed.

Row-level security keeps an index on `data` from being used: its operators (`@>`, `->>`) are not leakproof, so they run
only after the policy. The values therefore stand in rows of their own, in columns whose operators are leakproof
(smallint, double precision, text, timestamptz, uuid), under the same policy as the records.

The index narrows, the record decides: numbers are kept as double precision and texts by their first 200 characters.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE record_index (
    tenant_id text NOT NULL REFERENCES tenants,
    pipeline_id text NOT NULL,
    field text NOT NULL,
    kind smallint NOT NULL,
    number double precision NOT NULL,
    text text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    record_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, record_id, field)
);
CREATE INDEX record_index_order ON record_index
    (tenant_id, pipeline_id, field, kind, number, text, created_at, record_id);

ALTER TABLE record_index ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_index FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON record_index TO oneo_app
    USING (tenant_id = nullif(current_setting('oneo.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('oneo.tenant', true), ''));
CREATE POLICY all_tenants ON record_index TO oneo_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON record_index TO oneo_app;
GRANT SELECT ON record_index TO oneo_system;
"""

VALUES = r"""
-- ISO 8601 and nothing else of what PostgreSQL reads as a time ("yesterday"); null where it is none.
CREATE FUNCTION moment_of(value text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN (value || 'T00:00Z')::timestamptz;
    ELSIF value !~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?'
        || '(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?$') THEN
        RETURN NULL;
    END IF;
    RETURN (CASE WHEN substr(value, 11) ~ '(Z|[+-].*)$' THEN value ELSE value || 'Z' END)::timestamptz;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN
    RETURN NULL;
END
$$;

-- Whether some text in a value, however deep, fits a pattern.
CREATE FUNCTION holds_text(value jsonb, pattern text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_path_query(value, '$.**') AS one
        WHERE jsonb_typeof(one) = 'string' AND (one #>> '{}') COLLATE "C" ~ pattern
    )
$$;

-- What a value is sorted by: 1 texts, 2 numbers, 3 true and false, 4 times; nothing for any other.
CREATE FUNCTION sort_key(value jsonb, type text)
    RETURNS TABLE (kind smallint, number double precision, text text) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT
        CASE
            WHEN moment IS NOT NULL THEN 4
            WHEN jsonb_typeof(value) = 'number' THEN 2
            WHEN jsonb_typeof(value) = 'string' THEN 1
            WHEN jsonb_typeof(value) = 'boolean' THEN 3
        END::smallint,
        CASE
            WHEN moment IS NOT NULL THEN extract(epoch FROM moment)::double precision
            WHEN jsonb_typeof(value) = 'number' THEN CASE
                WHEN abs(value::numeric) < 1e-300 THEN 0
                ELSE least(greatest(value::numeric, -1.7e308), 1.7e308)
            END::double precision
            WHEN value = 'true' THEN 1
            ELSE 0
        END,
        CASE
            WHEN moment IS NULL AND jsonb_typeof(value) = 'string' THEN left(value #>> '{}', 200)
            ELSE ''
        END COLLATE "C"
    FROM (
        SELECT CASE
            WHEN type IN ('date', 'datetime') AND jsonb_typeof(value) = 'string' THEN moment_of(value #>> '{}')
        END AS moment
    ) AS read
$$;

CREATE FUNCTION indexed_values(fields jsonb, data jsonb, stage text, owner text, external_id text)
    RETURNS TABLE (field text, kind smallint, number double precision, text text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT one ->> 'id', key.kind, key.number, key.text
    FROM jsonb_array_elements(fields) AS one
    CROSS JOIN LATERAL sort_key(
        CASE one ->> 'id'
            WHEN 'stage' THEN to_jsonb(stage)
            WHEN 'owner' THEN to_jsonb(owner)
            WHEN 'external_id' THEN to_jsonb(external_id)
            ELSE data -> (one ->> 'id')
        END,
        one ->> 'type'
    ) AS key
    WHERE key.kind IS NOT NULL AND ((one ->> 'unique')::boolean OR (one ->> 'indexed')::boolean)
$$;
"""

# For whole statements, not row by row: an import writes many. Who writes records and who changes which fields are
# indexed wait for each other, or one of them would miss what the other writes.
TRIGGERS = """
CREATE FUNCTION record_index_lock(tenant text, pipeline text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('record_index/' || tenant || '/' || pipeline, 0)
$$;

CREATE FUNCTION index_records() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM record_index AS held USING old_rows AS before
            WHERE held.tenant_id = before.tenant_id AND held.record_id = before.id AND NOT EXISTS (
                SELECT FROM new_rows AS after
                WHERE after.tenant_id = before.tenant_id AND after.id = before.id
                    AND (after.pipeline_id, after.data, after.stage, after.owner, after.external_id, after.created_at)
                        IS NOT DISTINCT FROM
                        (before.pipeline_id, before.data, before.stage, before.owner, before.external_id,
                         before.created_at)
                    AND after.deleted_at IS NULL
            );
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM record_index AS held USING old_rows AS before
            WHERE held.tenant_id = before.tenant_id AND held.record_id = before.id;
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(key) FROM (
        SELECT DISTINCT record_index_lock(tenant_id, pipeline_id) AS key FROM new_rows ORDER BY key
    ) AS locks;
    INSERT INTO record_index (tenant_id, pipeline_id, field, kind, number, text, created_at, record_id)
        SELECT after.tenant_id, after.pipeline_id, value.field, value.kind, value.number, value.text,
            after.created_at, after.id
        FROM new_rows AS after
        JOIN pipelines ON pipelines.tenant_id = after.tenant_id AND pipelines.id = after.pipeline_id
        CROSS JOIN LATERAL indexed_values(
            pipelines.fields, after.data, after.stage, after.owner, after.external_id
        ) AS value
        WHERE after.deleted_at IS NULL AND (TG_OP = 'INSERT' OR NOT EXISTS (
            SELECT FROM record_index AS held
            WHERE held.tenant_id = after.tenant_id AND held.record_id = after.id
        ));
    RETURN NULL;
END
$$;
CREATE TRIGGER records_index_created AFTER INSERT ON records
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION index_records();
CREATE TRIGGER records_index_updated AFTER UPDATE ON records
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION index_records();
CREATE TRIGGER records_index_deleted AFTER DELETE ON records
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION index_records();

CREATE FUNCTION index_pipeline() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(record_index_lock(NEW.tenant_id, NEW.id));
    DELETE FROM record_index WHERE tenant_id = NEW.tenant_id AND pipeline_id = NEW.id;
    INSERT INTO record_index (tenant_id, pipeline_id, field, kind, number, text, created_at, record_id)
        SELECT records.tenant_id, records.pipeline_id, value.field, value.kind, value.number, value.text,
            records.created_at, records.id
        FROM records
        CROSS JOIN LATERAL indexed_values(
            NEW.fields, records.data, records.stage, records.owner, records.external_id
        ) AS value
        WHERE records.tenant_id = NEW.tenant_id AND records.pipeline_id = NEW.id AND records.deleted_at IS NULL;
    RETURN NULL;
END
$$;
CREATE FUNCTION indexed_fields(fields jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(one ->> 'id', one ->> 'type'), '{}')
    FROM jsonb_array_elements(fields) AS one
    WHERE (one ->> 'unique')::boolean OR (one ->> 'indexed')::boolean
$$;
CREATE TRIGGER pipelines_index AFTER UPDATE ON pipelines FOR EACH ROW
    WHEN (indexed_fields(OLD.fields) IS DISTINCT FROM indexed_fields(NEW.fields))
    EXECUTE FUNCTION index_pipeline();
"""

FILL = """
INSERT INTO record_index (tenant_id, pipeline_id, field, kind, number, text, created_at, record_id)
    SELECT records.tenant_id, records.pipeline_id, value.field, value.kind, value.number, value.text,
        records.created_at, records.id
    FROM records
    JOIN pipelines ON pipelines.tenant_id = records.tenant_id AND pipelines.id = records.pipeline_id
    CROSS JOIN LATERAL indexed_values(
        pipelines.fields, records.data, records.stage, records.owner, records.external_id
    ) AS value
    WHERE records.deleted_at IS NULL
"""


def upgrade() -> None:
    """Create the index and fill it; the index on `data` that no query could use goes."""
    op.execute(TABLE)
    op.execute(VALUES)
    op.execute(TRIGGERS)
    # As the owner, whom forced row-level security shows no rows.
    for table in ("record_index", "records", "pipelines"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(FILL)
    for table in ("record_index", "records", "pipelines"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("DROP INDEX records_data")


def downgrade() -> None:
    """Undo."""
    op.execute("CREATE INDEX records_data ON records USING gin (data jsonb_path_ops)")
    op.execute("DROP TRIGGER pipelines_index ON pipelines")
    for event in ("created", "updated", "deleted"):
        op.execute(f"DROP TRIGGER records_index_{event} ON records")
    op.execute("DROP FUNCTION index_pipeline, index_records, record_index_lock, indexed_fields")
    op.execute("DROP FUNCTION indexed_values, sort_key, holds_text, moment_of")
    op.execute("DROP TABLE record_index")
