"""Events and history of records are written once for a statement, and the events of an import can wait.

A transaction says what becomes of its record events by the setting `oneo.events`: `held` until they are released, or
`silent`, which writes none; anything else means now. The history knows every change in any case.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HELD = """
ALTER TABLE record_events ADD COLUMN held_at timestamptz;
DROP INDEX record_events_waiting;
CREATE INDEX record_events_waiting ON record_events (id) WHERE handled_at IS NULL AND held_at IS NULL;
CREATE INDEX record_events_held ON record_events (tenant_id, pipeline_id, id) WHERE held_at IS NOT NULL;
GRANT UPDATE (held_at) ON record_events TO oneo_app;
"""

# A plan made for one changed row would, kept for the connection, compare each of many with each: without nested loops
# the rows before and after are hashed. They belong together by their id, which therefore cannot change.
EVENTS = """
CREATE FUNCTION keep_record_id() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a record keeps its id' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER records_keep_id BEFORE UPDATE ON records
    FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION keep_record_id();

CREATE FUNCTION write_record_events() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off AS $$
DECLARE
    cause uuid := nullif(current_setting('oneo.execution', true), '')::uuid;
    held timestamptz := CASE WHEN current_setting('oneo.events', true) = 'held' THEN clock_timestamp() END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO record_events (tenant_id, pipeline_id, record_id, kind, after, execution_id, held_at)
        SELECT tenant_id, pipeline_id, id, 'created', to_jsonb(new_rows), cause, held
        FROM new_rows WHERE deleted_at IS NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO record_events (tenant_id, pipeline_id, record_id, kind, before, execution_id, held_at)
        SELECT tenant_id, pipeline_id, id, 'deleted', to_jsonb(old_rows), cause, held
        FROM old_rows WHERE deleted_at IS NULL;
    ELSE
        INSERT INTO record_events
            (tenant_id, pipeline_id, record_id, kind, before, after, changed, execution_id, held_at)
        SELECT
            after.tenant_id, after.pipeline_id, after.id,
            CASE
                WHEN after.deleted_at IS NOT NULL THEN 'deleted'
                WHEN before.deleted_at IS NOT NULL THEN 'restored'
                ELSE 'updated'
            END,
            to_jsonb(before), to_jsonb(after),
            CASE WHEN after.deleted_at IS NULL THEN fields ELSE '{}' END,
            cause, held
        FROM new_rows AS after JOIN old_rows AS before USING (tenant_id, id)
        CROSS JOIN LATERAL (
            SELECT record_changes(before.data, after.data) || array_remove(ARRAY[
                CASE WHEN after.stage IS DISTINCT FROM before.stage THEN 'stage' END,
                CASE WHEN after.owner IS DISTINCT FROM before.owner THEN 'owner' END,
                CASE WHEN after.external_id IS DISTINCT FROM before.external_id THEN 'external_id' END,
                CASE WHEN after.pipeline_id IS DISTINCT FROM before.pipeline_id THEN 'pipeline_id' END
            ], NULL)
        ) AS changed (fields)
        WHERE CASE
            WHEN before.deleted_at IS NULL AND after.deleted_at IS NULL THEN fields <> '{}'
            ELSE before.deleted_at IS NULL OR after.deleted_at IS NULL
        END;
    END IF;
    IF FOUND AND held IS NULL THEN PERFORM pg_notify('oneo_work', 'record_event'); END IF;
    RETURN NULL;
END
$$;
"""

HISTORY = """
CREATE FUNCTION write_records_history() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off AS $$
DECLARE
    cause uuid := nullif(current_setting('oneo.execution', true), '')::uuid;
    who text := nullif(current_setting('oneo.actor', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO record_history
            (tenant_id, record_id, pipeline_id, version, kind, changes, actor, execution_id)
        SELECT
            tenant_id, id, pipeline_id, version, 'created',
            (
                SELECT jsonb_object_agg(key, jsonb_build_object('before', NULL, 'after', value))
                FROM jsonb_each(record_values(new_rows))
            ),
            coalesce(who, (SELECT started_by FROM executions WHERE tenant_id = new_rows.tenant_id AND id = cause)),
            cause
        FROM new_rows;
    ELSE
        INSERT INTO record_history
            (tenant_id, record_id, pipeline_id, version, kind, changes, image, actor, execution_id)
        SELECT
            after.tenant_id, after.id, after.pipeline_id, after.version, what.kind, what.changes,
            CASE WHEN after.archived_at IS NOT NULL AND before.archived_at IS NULL THEN to_jsonb(after) END,
            coalesce(who, (SELECT started_by FROM executions WHERE tenant_id = after.tenant_id AND id = cause)),
            cause
        FROM new_rows AS after JOIN old_rows AS before USING (tenant_id, id)
        CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN before.deleted_at IS NULL AND after.deleted_at IS NOT NULL THEN 'deleted'
                    WHEN before.deleted_at IS NOT NULL AND after.deleted_at IS NULL THEN 'restored'
                    WHEN before.archived_at IS NULL AND after.archived_at IS NOT NULL THEN 'archived'
                    ELSE 'updated'
                END,
                record_differences(record_values(before), record_values(after))
        ) AS what (kind, changes)
        WHERE what.kind <> 'updated' OR what.changes <> '{}';
    END IF;
    RETURN NULL;
END
$$;

-- A function of its own: the entries of what was removed are found by their index, in a nested loop.
CREATE FUNCTION write_removed_history() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    cause uuid := nullif(current_setting('oneo.execution', true), '')::uuid;
    who text := nullif(current_setting('oneo.actor', true), '');
BEGIN
    -- What is removed for good lives on in no history, unless it was archived to be kept.
    UPDATE record_history AS entry
        SET changes = '{}', image = CASE WHEN gone.archived_at IS NOT NULL THEN entry.image END
        FROM old_rows AS gone
        WHERE entry.tenant_id = gone.tenant_id AND entry.record_id = gone.id;
    INSERT INTO record_history (tenant_id, record_id, pipeline_id, version, kind, actor, execution_id)
    SELECT
        tenant_id, id, pipeline_id, version + 1, 'removed',
        coalesce(who, (SELECT started_by FROM executions WHERE tenant_id = old_rows.tenant_id AND id = cause)),
        cause
    FROM old_rows;
    RETURN NULL;
END
$$;
"""

# Rows before and after are at hand for triggers of one kind of statement only. The functions for one row stay for the
# way back.
TRIGGERS = """
DROP TRIGGER records_write_event ON records;
DROP TRIGGER records_write_history ON records;

CREATE TRIGGER records_write_event_inserted AFTER INSERT ON records
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (current_setting('oneo.events', true) IS DISTINCT FROM 'silent')
    EXECUTE FUNCTION write_record_events();
CREATE TRIGGER records_write_event_updated AFTER UPDATE ON records
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (current_setting('oneo.events', true) IS DISTINCT FROM 'silent')
    EXECUTE FUNCTION write_record_events();
CREATE TRIGGER records_write_event_deleted AFTER DELETE ON records
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    WHEN (current_setting('oneo.events', true) IS DISTINCT FROM 'silent')
    EXECUTE FUNCTION write_record_events();

CREATE TRIGGER records_write_history_inserted AFTER INSERT ON records
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION write_records_history();
CREATE TRIGGER records_write_history_updated AFTER UPDATE ON records
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION write_records_history();
CREATE TRIGGER records_write_history_deleted AFTER DELETE ON records
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION write_removed_history();
"""

ROW_BY_ROW = """
CREATE TRIGGER records_write_event AFTER INSERT OR UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION write_record_event();
CREATE TRIGGER records_write_history AFTER INSERT OR UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION write_record_history();
"""

# Only the owner may have a table counted.
STATISTICS = """
CREATE FUNCTION analyze_records() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE (SKIP_LOCKED) records;
END
$$;
REVOKE ALL ON FUNCTION analyze_records FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_records TO oneo_app;
"""

UNHELD = """
REVOKE UPDATE (held_at) ON record_events FROM oneo_app;
DROP INDEX record_events_held;
DROP INDEX record_events_waiting;
ALTER TABLE record_events DROP COLUMN held_at;
CREATE INDEX record_events_waiting ON record_events (id) WHERE handled_at IS NULL;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(HELD)
    op.execute(EVENTS)
    op.execute(HISTORY)
    op.execute(TRIGGERS)
    op.execute(STATISTICS)


def downgrade() -> None:
    """Undo; what is held then is handed on."""
    for kind in ("inserted", "updated", "deleted"):
        op.execute(f"DROP TRIGGER records_write_event_{kind} ON records")
        op.execute(f"DROP TRIGGER records_write_history_{kind} ON records")
    op.execute("DROP TRIGGER records_keep_id ON records")
    op.execute("DROP FUNCTION write_record_events, write_records_history, write_removed_history")
    op.execute("DROP FUNCTION keep_record_id, analyze_records")
    op.execute(ROW_BY_ROW)
    op.execute(UNHELD)
