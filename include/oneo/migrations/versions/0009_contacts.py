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
    pipeline_id text NOT NULL,
    key text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, pipeline_id, key, record_id)
);

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
-- Most texts are plain already: a look at them is quicker than the work. OFFSET 0 keeps a text from being made anew
-- wherever it is read.
CREATE FUNCTION contact_keys(data jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT field.key || ':' || made.text
    FROM jsonb_each_text(data) AS field
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN field.value ~ '^[!-~]+( [!-~]+)*$' THEN lower(left(field.value, 200))
            ELSE lower(btrim(regexp_replace(normalize(left(field.value, 200)), '\s+', ' ', 'g')))
        END AS text OFFSET 0
    ) AS plain
    CROSS JOIN LATERAL (
        SELECT plain.text WHERE field.key LIKE '%email'
        UNION ALL
        SELECT '~' || regexp_replace(plain.text, '\+[^@]*@', '@') WHERE field.key LIKE '%email'
        UNION ALL
        SELECT digits.text FROM (
            SELECT right(regexp_replace(regexp_replace(plain.text, '(ext|x|#|;).*', ''), '\D', '', 'g'), 7) AS text
            WHERE field.key LIKE '%phone' OR field.key LIKE '%mobile'
            OFFSET 0
        ) AS digits WHERE digits.text <> ''
        UNION ALL
        SELECT word.text FROM (
            SELECT string_to_array(CASE
                WHEN plain.text ~ '^[a-z0-9]+( [a-z0-9]+)*$' THEN plain.text
                ELSE btrim(regexp_replace(
                    regexp_replace(normalize(plain.text, NFD), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'
                ))
            END, ' ') AS all
            WHERE field.key LIKE '%name'
            OFFSET 0
        ) AS words CROSS JOIN LATERAL (
            SELECT DISTINCT left(one, 3) FROM unnest(words.all) AS one
            UNION ALL
            SELECT '=' || string_agg(one, ' ' ORDER BY one) FROM unnest(words.all) AS one HAVING count(*) > 0
        ) AS word (text)
    ) AS made (text)
    WHERE (field.key IN ('name', 'full_name', 'first_name', 'last_name') OR field.key LIKE '%email'
        OR field.key LIKE '%phone' OR field.key LIKE '%mobile') AND field.value <> ''
$$;

-- For whole statements, not row by row: an import writes many.
CREATE FUNCTION write_record_keys() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO record_keys (tenant_id, pipeline_id, key, record_id)
            SELECT tenant_id, pipeline_id, key, id FROM new_rows, contact_keys(data) AS key
            WHERE deleted_at IS NULL;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM record_keys AS held USING (
            SELECT tenant_id, pipeline_id, key, id FROM old_rows, contact_keys(data) AS key
            WHERE deleted_at IS NULL
        ) AS gone
        WHERE (held.tenant_id, held.pipeline_id, held.key, held.record_id)
            = (gone.tenant_id, gone.pipeline_id, gone.key, gone.id);
    ELSE
        WITH before AS (
            SELECT tenant_id, pipeline_id, key, id FROM old_rows, contact_keys(data) AS key
            WHERE deleted_at IS NULL
        ), after AS (
            SELECT tenant_id, pipeline_id, key, id FROM new_rows, contact_keys(data) AS key
            WHERE deleted_at IS NULL
        ), taken AS (
            DELETE FROM record_keys AS held USING (SELECT * FROM before EXCEPT SELECT * FROM after) AS gone
            WHERE (held.tenant_id, held.pipeline_id, held.key, held.record_id)
                = (gone.tenant_id, gone.pipeline_id, gone.key, gone.id)
        )
        INSERT INTO record_keys (tenant_id, pipeline_id, key, record_id)
            SELECT * FROM after EXCEPT SELECT * FROM before;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER records_write_keys_inserted AFTER INSERT ON records
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION write_record_keys();
CREATE TRIGGER records_write_keys_updated AFTER UPDATE ON records
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION write_record_keys();
CREATE TRIGGER records_write_keys_deleted AFTER DELETE ON records
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION write_record_keys();
"""

# As the owner, whom forced row-level security shows no rows.
FILL = """
ALTER TABLE records NO FORCE ROW LEVEL SECURITY;
INSERT INTO record_keys (tenant_id, pipeline_id, key, record_id)
    SELECT tenant_id, pipeline_id, key, id FROM records, contact_keys(data) AS key
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
    for event in ("inserted", "updated", "deleted"):
        op.execute(f"DROP TRIGGER records_write_keys_{event} ON records")
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
