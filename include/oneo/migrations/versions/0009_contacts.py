"""Contacts are found by keys, duplicates know where they went, reminders wait, and people take turns."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
-- merged_into: the record that took this one's place; where this one is asked for, that one answers.
ALTER TABLE records ADD COLUMN merged_into uuid;
CREATE INDEX records_merged_into ON records (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

-- No foreign keys, which would be checked for each of a record's keys: triggers write them, and take them away.
CREATE TABLE record_keys (
    tenant_id text NOT NULL,
    record_id uuid NOT NULL,
    key text NOT NULL,
    pipeline_id text NOT NULL,
    PRIMARY KEY (tenant_id, record_id, key)
);
CREATE INDEX record_keys_key ON record_keys (tenant_id, pipeline_id, key);

CREATE TABLE rotations (
    tenant_id text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    turns bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX tasks_open ON tasks (tenant_id, assigned_to) WHERE status = 'open';

-- due_at: when a scheduled one is due; task_id: the task it reminds of.
ALTER TABLE notifications ADD COLUMN due_at timestamptz, ADD COLUMN task_id uuid,
    ADD FOREIGN KEY (tenant_id, task_id) REFERENCES tasks ON DELETE CASCADE;
CREATE INDEX notifications_due ON notifications (due_at) WHERE status = 'scheduled';
CREATE INDEX notifications_task ON notifications (tenant_id, task_id) WHERE task_id IS NOT NULL;

GRANT SELECT, INSERT, DELETE ON record_keys TO oneo_app;
GRANT SELECT, INSERT, UPDATE ON rotations TO oneo_app;
GRANT SELECT ON record_keys, rotations TO oneo_system;
GRANT UPDATE (status) ON notifications TO oneo_system;
"""

# A table of keys, and no index on expressions: row-level security lets an index be used for comparisons that cannot
# leak only, which those of plain texts are, and functions of data are not.
KEYS = r"""
CREATE FUNCTION contact_keys(data jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text;
    plain text;
    words text[];
    keys text[] := '{}';
BEGIN
    FOR name, plain IN
        SELECT field.key, lower(btrim(regexp_replace(normalize(left(field.value, 200)), '\s+', ' ', 'g')))
        FROM jsonb_each_text(data) AS field
        WHERE (field.key IN ('name', 'full_name', 'first_name', 'last_name') OR field.key LIKE '%email'
            OR field.key LIKE '%phone' OR field.key LIKE '%mobile') AND field.value <> ''
    LOOP
        IF name LIKE '%email' THEN
            keys := keys || (name || ':' || plain) || (name || ':~' || regexp_replace(plain, '\+[^@]*@', '@'));
        ELSIF name LIKE '%name' THEN
            words := regexp_split_to_array(
                btrim(regexp_replace(
                    regexp_replace(normalize(plain, NFD), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'
                )),
                ' '
            );
            IF words <> '{""}' THEN
                keys := keys || (SELECT array_agg(DISTINCT name || ':' || left(word, 3)) FROM unnest(words) AS word)
                    || (SELECT name || ':=' || string_agg(word, ' ' ORDER BY word) FROM unnest(words) AS word);
            END IF;
        ELSE
            plain := right(regexp_replace(regexp_replace(plain, '(ext|x|#|;).*', ''), '\D', '', 'g'), 7);
            IF plain <> '' THEN keys := keys || (name || ':' || plain); END IF;
        END IF;
    END LOOP;
    RETURN keys;
END
$$;

CREATE FUNCTION write_record_keys() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM record_keys WHERE tenant_id = OLD.tenant_id AND record_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO record_keys (tenant_id, record_id, key, pipeline_id)
        SELECT NEW.tenant_id, NEW.id, key, NEW.pipeline_id FROM unnest(contact_keys(NEW.data)) AS key;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER records_write_new_keys AFTER INSERT OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION write_record_keys();
CREATE TRIGGER records_write_keys AFTER UPDATE ON records
    FOR EACH ROW WHEN (
        (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL) OR NEW.pipeline_id <> OLD.pipeline_id
        OR (NEW.data <> OLD.data AND contact_keys(NEW.data) <> contact_keys(OLD.data))
    ) EXECUTE FUNCTION write_record_keys();
"""

# As the owner, whom forced row-level security shows no rows.
FILL = """
ALTER TABLE records NO FORCE ROW LEVEL SECURITY;
INSERT INTO record_keys (tenant_id, record_id, key, pipeline_id)
    SELECT tenant_id, id, key, pipeline_id FROM records, unnest(contact_keys(data)) AS key
    WHERE deleted_at IS NULL;
ALTER TABLE records FORCE ROW LEVEL SECURITY;
"""

HISTORY = """
CREATE OR REPLACE FUNCTION record_values(row_now records) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT row_now.data || jsonb_strip_nulls(jsonb_build_object(
        'stage', row_now.stage, 'owner', row_now.owner, 'external_id', row_now.external_id,
        'pipeline_id', row_now.pipeline_idMERGED
    ))
$$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(KEYS)
    op.execute(FILL)
    op.execute(HISTORY.replace("MERGED", ", 'merged_into', row_now.merged_into"))
    for table in ("record_keys", "rotations"):
        mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo; reminders that wait are gone."""
    op.execute("DROP TRIGGER records_write_keys ON records")
    op.execute("DROP TRIGGER records_write_new_keys ON records")
    op.execute("DROP FUNCTION write_record_keys, contact_keys")
    op.execute(HISTORY.replace("MERGED", ""))
    op.execute("DROP TABLE record_keys, rotations")
    op.execute("DROP INDEX tasks_open, records_merged_into")
    op.execute("ALTER TABLE notifications NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM notifications WHERE status = 'scheduled'")
    op.execute("ALTER TABLE notifications FORCE ROW LEVEL SECURITY")
    op.execute("REVOKE UPDATE (status) ON notifications FROM oneo_system")
    op.execute("ALTER TABLE notifications DROP COLUMN due_at, DROP COLUMN task_id")
    op.execute("ALTER TABLE records DROP COLUMN merged_into")
