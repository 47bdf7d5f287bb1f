"""Unique fields hold for whoever writes records, plain SQL included; a pipeline may have a JSON Schema.

What stands in a unique field of a record is noted in a table of its own, whose primary key decides between writers.
It keeps a hash of the value: of any length, and no second copy of what is known of a person.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE pipelines ADD COLUMN record_schema jsonb;

CREATE TABLE record_unique_values (
    tenant_id text NOT NULL REFERENCES tenants,
    pipeline_id text NOT NULL,
    field text NOT NULL,
    value_hash bytea NOT NULL,
    record_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, pipeline_id, field, value_hash),
    FOREIGN KEY (tenant_id, record_id) REFERENCES records ON DELETE CASCADE
);
CREATE INDEX record_unique_values_record ON record_unique_values (tenant_id, record_id);
"""

# The spelling in which contacts are compared, too: addresses in lower case, numbers by their digits, texts trimmed.
# What an erasure has left of a value is none: of two records it may leave the same.
KEYS = r"""
CREATE FUNCTION unique_value_hash(field text, type text, value jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(nullif(CASE
            WHEN said LIKE '%[erased]%' THEN NULL
            WHEN type = 'email' OR field LIKE '%email' THEN lower(btrim(regexp_replace(said, '\s+', ' ', 'g')))
            WHEN type = 'phone' OR field LIKE ANY ('{%phone,%mobile}')
                THEN regexp_replace(said, '[^0-9+]', '', 'g')
            ELSE btrim(regexp_replace(said, '\s+', ' ', 'g'))
        END, ''))::text
        WHEN 'number' THEN trim_scale(said::numeric)::text
        WHEN 'boolean' THEN said
        WHEN 'array' THEN nullif(said, '[]')
        WHEN 'object' THEN nullif(said, '{}')
    END, 'UTF8'))
    FROM (SELECT value #>> '{}' AS said) AS spelled
$$;

CREATE FUNCTION record_unique_keys(tenant text, pipeline text, data jsonb, deleted timestamptz)
    RETURNS TABLE (field text, value_hash bytea) LANGUAGE sql STABLE AS $$
    SELECT one.field, one.value_hash FROM pipelines AS p, jsonb_array_elements(p.fields) AS f, LATERAL (
        SELECT f ->> 'id' AS field, unique_value_hash(f ->> 'id', f ->> 'type', data -> (f ->> 'id')) AS value_hash
    ) AS one
    WHERE p.tenant_id = tenant AND p.id = pipeline AND deleted IS NULL
        AND (f ->> 'unique')::boolean AND one.value_hash IS NOT NULL
$$;
"""

# The lock is that of the index of values: with one of their own, changes of records and of fields could wait for each
# other.
TRIGGERS = """
-- For whole statements, not row by row: an import writes many.
CREATE FUNCTION keep_record_unique() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    wanted record_unique_values[];
    key record_unique_values;
    holder uuid;
BEGIN
    -- Which fields are unique does not change until this transaction ends.
    PERFORM pg_advisory_xact_lock_shared(lock) FROM (
        SELECT DISTINCT record_index_lock(tenant_id, pipeline_id) AS lock FROM new_rows ORDER BY lock
    ) AS locks;
    IF TG_OP = 'INSERT' THEN
        wanted := ARRAY(
            SELECT (r.tenant_id, r.pipeline_id, k.field, k.value_hash, r.id)::record_unique_values
            FROM new_rows AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
        );
    ELSE
        -- What a record had before is its own, or a double from the time before fields were kept unique.
        WITH before AS (
            SELECT r.tenant_id, r.pipeline_id, k.field, k.value_hash, r.id
            FROM old_rows AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
        ), after AS (
            SELECT r.tenant_id, r.pipeline_id, k.field, k.value_hash, r.id
            FROM new_rows AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
        ), given_up AS (
            DELETE FROM record_unique_values AS held USING (SELECT * FROM before EXCEPT SELECT * FROM after) AS gone
            WHERE (held.tenant_id, held.pipeline_id, held.field, held.value_hash, held.record_id)
                = (gone.tenant_id, gone.pipeline_id, gone.field, gone.value_hash, gone.id)
        )
        SELECT array_agg((one.*)::record_unique_values) INTO wanted
            FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS one;
    END IF;
    -- In one order for all, so that no two writers wait for each other.
    FOR key IN
        WITH written AS (
            INSERT INTO record_unique_values SELECT * FROM unnest(wanted) AS one ORDER BY one.field, one.value_hash
            ON CONFLICT DO NOTHING RETURNING *
        )
        SELECT * FROM unnest(wanted) EXCEPT SELECT * FROM written
    LOOP
        LOOP
            SELECT record_id INTO holder FROM record_unique_values AS held
                WHERE held.tenant_id = key.tenant_id AND held.pipeline_id = key.pipeline_id
                    AND held.field = key.field AND held.value_hash = key.value_hash;
            IF FOUND THEN
                RAISE unique_violation USING
                    MESSAGE = format(
                        'field %s is unique, and record %s has %s already', quote_literal(key.field), holder,
                        (SELECT left((data -> key.field)::text, 100) FROM new_rows WHERE id = key.record_id)
                    ),
                    TABLE = 'records', COLUMN = key.field, CONSTRAINT = 'record_unique_values',
                    DETAIL = holder::text;
            END IF;
            -- Who had the value may have given it up just now: then it is free.
            INSERT INTO record_unique_values VALUES (key.*) ON CONFLICT DO NOTHING;
            EXIT WHEN FOUND;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER records_keep_unique_inserted AFTER INSERT ON records
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_record_unique();
CREATE TRIGGER records_keep_unique_updated AFTER UPDATE ON records
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_record_unique();

CREATE FUNCTION unique_fields(fields jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(f ->> 'id', f ->> 'type'), '{}')
    FROM jsonb_array_elements(fields) AS f WHERE (f ->> 'unique')::boolean
$$;

CREATE FUNCTION keep_pipeline_unique() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    doubles text;
BEGIN
    PERFORM pg_advisory_xact_lock(record_index_lock(NEW.tenant_id, NEW.id));
    DELETE FROM record_unique_values WHERE tenant_id = NEW.tenant_id AND pipeline_id = NEW.id;
    INSERT INTO record_unique_values
        SELECT r.tenant_id, r.pipeline_id, k.field, k.value_hash, r.id
        FROM records AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
        WHERE r.tenant_id = NEW.tenant_id AND r.pipeline_id = NEW.id
        ORDER BY r.created_at, r.id ON CONFLICT DO NOTHING;
    SELECT string_agg(format('field %s: records %s and %s', quote_literal(field), older, newer), '; ')
        INTO doubles FROM (
            SELECT alike.field, alike.id AS newer, (
                SELECT record_id FROM record_unique_values AS held
                WHERE held.tenant_id = NEW.tenant_id AND held.pipeline_id = NEW.id
                    AND held.field = alike.field AND held.value_hash = alike.value_hash
            ) AS older FROM (
                SELECT k.field, k.value_hash, r.id
                FROM records AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
                WHERE r.tenant_id = NEW.tenant_id AND r.pipeline_id = NEW.id
                EXCEPT SELECT field, value_hash, record_id FROM record_unique_values
                WHERE tenant_id = NEW.tenant_id AND pipeline_id = NEW.id
                LIMIT 10
            ) AS alike
        ) AS double;
    IF doubles IS NOT NULL THEN
        RAISE unique_violation USING
            MESSAGE = format('records of pipeline %s have the same value in a unique field', quote_literal(NEW.id)),
            TABLE = 'pipelines', CONSTRAINT = 'record_unique_values', DETAIL = doubles;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER pipelines_keep_unique AFTER UPDATE OF fields ON pipelines FOR EACH ROW
    WHEN (unique_fields(OLD.fields) IS DISTINCT FROM unique_fields(NEW.fields))
    EXECUTE FUNCTION keep_pipeline_unique();
"""

GRANTS = """
GRANT SELECT, INSERT, DELETE ON record_unique_values TO oneo_app;
GRANT SELECT ON record_unique_values TO oneo_system;
"""

# Doubles from the time before stay as they are; the oldest of them has the value.
BEFORE = """
INSERT INTO record_unique_values
    SELECT r.tenant_id, r.pipeline_id, k.field, k.value_hash, r.id
    FROM records AS r, record_unique_keys(r.tenant_id, r.pipeline_id, r.data, r.deleted_at) AS k
    ORDER BY r.created_at, r.id ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Apply, and note what stands in unique fields already."""
    op.execute(TABLES)
    op.execute(KEYS)
    op.execute(TRIGGERS)
    op.execute(GRANTS)
    # As the owner, whom forced row-level security shows no rows.
    op.execute("ALTER TABLE records NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pipelines NO FORCE ROW LEVEL SECURITY")
    op.execute(BEFORE)
    op.execute("ALTER TABLE records FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pipelines FORCE ROW LEVEL SECURITY")
    mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
    table = "record_unique_values"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
    op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TRIGGER pipelines_keep_unique ON pipelines")
    for event in ("inserted", "updated"):
        op.execute(f"DROP TRIGGER records_keep_unique_{event} ON records")
    op.execute("DROP FUNCTION keep_record_unique, keep_pipeline_unique, record_unique_keys, unique_fields")
    op.execute("DROP TABLE record_unique_values")
    op.execute("DROP FUNCTION unique_value_hash")
    op.execute("ALTER TABLE pipelines DROP COLUMN record_schema")
