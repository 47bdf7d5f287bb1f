"""Records hold together whoever writes them: plain SQL counts versions, too, and what is deleted stays silent.

Also an index for the executions whose DAG run has ended: they were looked for among all that ever ran. And the
owner no longer inherits what its two roles may see.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VERSIONS = """
CREATE FUNCTION count_record_version() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    given timestamptz := NEW.updated_at;
BEGIN
    NEW.version := OLD.version;
    NEW.updated_at := OLD.updated_at;
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := CASE WHEN given = OLD.updated_at THEN clock_timestamp() ELSE given END;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER records_count_version BEFORE UPDATE ON records
    FOR EACH ROW EXECUTE FUNCTION count_record_version();

ALTER TABLE records ADD CONSTRAINT records_data_is_object CHECK (jsonb_typeof(data) = 'object');
"""

# Deleted records change without a word (history that is scrubbed starts nothing), and a move to another pipeline
# or a new external id is a change like any other.
EVENTS = """
CREATE OR REPLACE FUNCTION write_record_event() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    event_kind text;
    row_now records;
    fields text[] := '{}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.deleted_at IS NOT NULL THEN RETURN NULL; END IF;
        event_kind := 'created'; row_now := NEW;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.deleted_at IS NOT NULL THEN RETURN NULL; END IF;
        event_kind := 'deleted'; row_now := OLD;
    ELSE
        row_now := NEW;
        IF NEW.deleted_at IS NOT NULL THEN
            IF OLD.deleted_at IS NOT NULL THEN RETURN NULL; END IF;
            event_kind := 'deleted';
        ELSE
            event_kind := 'updated';
            fields := record_changes(OLD.data, NEW.data);
            IF NEW.stage IS DISTINCT FROM OLD.stage THEN fields := fields || 'stage'::text; END IF;
            IF NEW.owner IS DISTINCT FROM OLD.owner THEN fields := fields || 'owner'::text; END IF;
            IF NEW.external_id IS DISTINCT FROM OLD.external_id THEN
                fields := fields || 'external_id'::text;
            END IF;
            IF NEW.pipeline_id IS DISTINCT FROM OLD.pipeline_id THEN
                fields := fields || 'pipeline_id'::text;
            END IF;
            IF fields = '{}' AND OLD.deleted_at IS NULL THEN RETURN NULL; END IF;
        END IF;
    END IF;
    INSERT INTO record_events (tenant_id, pipeline_id, record_id, kind, before, after, changed, execution_id)
    VALUES (
        row_now.tenant_id, row_now.pipeline_id, row_now.id, event_kind,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END,
        fields,
        nullif(current_setting('oneo.execution', true), '')::uuid
    );
    PERFORM pg_notify('oneo_work', 'record_event');
    RETURN NULL;
END
$$;
"""

# Policies hold for members of their role, too: as an heir of both roles, the owner would see every tenant's rows.
# Before PostgreSQL 16 that is a property of the owner's role (NOINHERIT), which is not ours to change.
OWNER = """
DO $$ BEGIN
    IF current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE format('GRANT oneo_app, oneo_system TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
END $$;
"""

INDEXES = """
CREATE INDEX executions_ended ON executions (created_at)
    WHERE run_state IS NOT NULL AND status IN ('pending', 'running', 'waiting');
"""


def upgrade() -> None:
    """Replace the record triggers, add the index, and take the inheritance from the owner."""
    op.execute(VERSIONS)
    op.execute(EVENTS)
    op.execute(OWNER)
    op.execute(INDEXES)


def downgrade() -> None:
    """Take back all but the event function, which works on the older schema, too, and goes with it."""
    op.execute("DROP INDEX IF EXISTS executions_ended")
    op.execute("ALTER TABLE records DROP CONSTRAINT IF EXISTS records_data_is_object")
    op.execute("DROP TRIGGER IF EXISTS records_count_version ON records")
    op.execute("DROP FUNCTION IF EXISTS count_record_version")
