"""Records that are deleted can be brought back, know their children, and have a history.

The history is written beside the record events and not read from them: events are a queue for the dispatcher, silent
about what is deleted, while the history knows every change, who made it and for which execution.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
-- deleted_with: the record whose deletion took this one along; bringing that one back brings this one back.
ALTER TABLE records ADD COLUMN archived_at timestamptz, ADD COLUMN deleted_with uuid;
CREATE INDEX records_deleted_with ON records (tenant_id, deleted_with) WHERE deleted_with IS NOT NULL;

CREATE TABLE record_relations (
    tenant_id text NOT NULL REFERENCES tenants,
    parent_id uuid NOT NULL,
    child_id uuid NOT NULL,
    kind text NOT NULL,
    cascades boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, parent_id, child_id, kind),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES records ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, child_id) REFERENCES records ON DELETE CASCADE,
    CHECK (parent_id <> child_id)
);
CREATE INDEX record_relations_child ON record_relations (tenant_id, child_id);

-- No foreign key to the record: that it was removed is part of its history.
CREATE TABLE record_history (
    tenant_id text NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    record_id uuid NOT NULL,
    pipeline_id text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('created', 'updated', 'archived', 'deleted', 'restored', 'removed')),
    changes jsonb NOT NULL DEFAULT '{}',
    image jsonb,
    actor text,
    execution_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX record_history_record ON record_history (tenant_id, record_id, version);
"""

HISTORY = """
CREATE FUNCTION record_values(row_now records) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT row_now.data || jsonb_strip_nulls(jsonb_build_object(
        'stage', row_now.stage, 'owner', row_now.owner, 'external_id', row_now.external_id,
        'pipeline_id', row_now.pipeline_id
    ))
$$;

CREATE FUNCTION record_differences(before jsonb, after jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(
        jsonb_object_agg(key, jsonb_build_object('before', before -> key, 'after', after -> key)), '{}'
    )
    FROM jsonb_object_keys(before || after) AS key
    WHERE before -> key IS DISTINCT FROM after -> key
$$;

CREATE FUNCTION write_record_history() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    entry record_history;
    row_now records;
BEGIN
    IF TG_OP = 'INSERT' THEN
        row_now := NEW;
        entry.kind := 'created';
        entry.changes := record_differences('{}', record_values(NEW));
    ELSIF TG_OP = 'DELETE' THEN
        row_now := OLD;
        row_now.version := OLD.version + 1;
        entry.kind := 'removed';
        entry.changes := '{}';
        -- What is removed for good lives on in no history, unless it was archived to be kept.
        UPDATE record_history
            SET changes = '{}', image = CASE WHEN OLD.archived_at IS NOT NULL THEN image END
            WHERE tenant_id = OLD.tenant_id AND record_id = OLD.id;
    ELSE
        row_now := NEW;
        entry.changes := record_differences(record_values(OLD), record_values(NEW));
        entry.kind := CASE
            WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN 'deleted'
            WHEN OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL THEN 'restored'
            WHEN OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL THEN 'archived'
            ELSE 'updated'
        END;
        IF NEW.archived_at IS NOT NULL AND OLD.archived_at IS NULL THEN entry.image := to_jsonb(NEW); END IF;
        IF entry.kind = 'updated' AND entry.changes = '{}' THEN RETURN NULL; END IF;
    END IF;
    entry.execution_id := nullif(current_setting('oneo.execution', true), '')::uuid;
    entry.actor := coalesce(
        nullif(current_setting('oneo.actor', true), ''),
        (SELECT started_by FROM executions WHERE tenant_id = row_now.tenant_id AND id = entry.execution_id)
    );
    INSERT INTO record_history
        (tenant_id, record_id, pipeline_id, version, kind, changes, image, actor, execution_id)
    VALUES (
        row_now.tenant_id, row_now.id, row_now.pipeline_id, row_now.version, entry.kind, entry.changes,
        entry.image, entry.actor, entry.execution_id
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER records_write_history AFTER INSERT OR UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION write_record_history();
"""

# The application adds to the history; of what is there it can only take out what the removed record held.
GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON record_relations TO oneo_app;
GRANT SELECT, INSERT, UPDATE (changes, image) ON record_history TO oneo_app;
GRANT SELECT ON record_relations, record_history TO oneo_system;
"""

KINDS = """
ALTER TABLE record_events DROP CONSTRAINT record_events_kind_check;
ALTER TABLE record_events ADD CONSTRAINT record_events_kind_check CHECK (kind IN (ALLOWED));
"""

# A workflow that welcomes what was created must not greet again what was only brought back.
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
            event_kind := CASE WHEN OLD.deleted_at IS NULL THEN 'updated' ELSE 'BROUGHT_BACK' END;
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


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(HISTORY)
    op.execute(KINDS.replace("ALLOWED", "'created', 'updated', 'deleted', 'restored'"))
    op.execute(EVENTS.replace("BROUGHT_BACK", "restored"))
    op.execute(GRANTS)
    for table in ("record_relations", "record_history"):
        mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo; what was brought back counts as updated again."""
    op.execute("DROP TRIGGER records_write_history ON records")
    op.execute("DROP FUNCTION write_record_history, record_differences, record_values")
    op.execute("DROP TABLE record_history, record_relations")
    op.execute(EVENTS.replace("BROUGHT_BACK", "updated"))
    # As the owner, whom forced row-level security shows no rows.
    op.execute("ALTER TABLE record_events NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE record_events SET kind = 'updated' WHERE kind = 'restored'")
    op.execute("ALTER TABLE record_events FORCE ROW LEVEL SECURITY")
    op.execute(KINDS.replace("ALLOWED", "'created', 'updated', 'deleted'"))
    op.execute("DROP INDEX records_deleted_with")
    op.execute("ALTER TABLE records DROP COLUMN archived_at, DROP COLUMN deleted_with")
