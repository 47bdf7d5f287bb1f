"""The first schema: tenants, records and their events, workflows, executions, row-level security.

Every table carries `tenant_id`. Row-level security is enabled and forced on all of them from the start; the
two application roles own nothing, so no code path can go round it.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE tenants (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 60),
    name text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pipelines (
    tenant_id text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    name text NOT NULL,
    fields jsonb NOT NULL DEFAULT '[]',
    stages jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE records (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    pipeline_id text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    stage text,
    owner text,
    external_id text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines
);
CREATE UNIQUE INDEX records_external_id ON records (tenant_id, pipeline_id, external_id)
    WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX records_pipeline ON records (tenant_id, pipeline_id, created_at);
CREATE INDEX records_data ON records USING gin (data jsonb_path_ops);

CREATE TABLE record_events (
    tenant_id text NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    pipeline_id text NOT NULL,
    record_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
    before jsonb,
    after jsonb,
    changed text[] NOT NULL DEFAULT '{}',
    execution_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    handled_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX record_events_waiting ON record_events (id) WHERE handled_at IS NULL;
CREATE INDEX record_events_record ON record_events (tenant_id, record_id, id);

CREATE TABLE workflows (
    tenant_id text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    active boolean NOT NULL DEFAULT true,
    live_version integer,
    render_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE SEQUENCE workflow_revision;

CREATE TABLE workflow_versions (
    tenant_id text NOT NULL REFERENCES tenants,
    workflow_id text NOT NULL,
    version integer NOT NULL,
    revision bigint NOT NULL UNIQUE,
    active boolean NOT NULL DEFAULT true,
    document json NOT NULL,
    definition_hash text NOT NULL,
    published_by text,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, workflow_id, version),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows
);

CREATE TABLE active_triggers (
    tenant_id text NOT NULL REFERENCES tenants,
    workflow_id text NOT NULL,
    node_id text NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,
    event_kind text,
    pipeline_ids text[] NOT NULL DEFAULT '{}',
    config jsonb NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, node_id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows
);
CREATE INDEX active_triggers_event ON active_triggers (tenant_id, event_kind);

CREATE TABLE executions (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    workflow_id text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'running', 'waiting', 'success', 'failed', 'cancelled')),
    trigger_node text,
    trigger_type text NOT NULL,
    event_id bigint,
    record_id uuid,
    data jsonb NOT NULL DEFAULT '{}',
    output jsonb,
    error jsonb,
    dag_id text NOT NULL,
    run_id text NOT NULL,
    run_state text,
    run_after timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows,
    UNIQUE (tenant_id, dag_id, run_id, id)
);
CREATE UNIQUE INDEX executions_once_per_event ON executions (tenant_id, workflow_id, event_id)
    WHERE event_id IS NOT NULL;
CREATE INDEX executions_due ON executions (run_after, created_at) WHERE status = 'pending';
CREATE INDEX executions_open ON executions (created_at) WHERE status IN ('running', 'waiting');
CREATE INDEX executions_run ON executions (dag_id, run_id);
CREATE INDEX executions_recent ON executions (tenant_id, created_at DESC);

CREATE TABLE execution_log (
    tenant_id text NOT NULL REFERENCES tenants,
    execution_id uuid NOT NULL,
    node_id text NOT NULL,
    loop_index text NOT NULL DEFAULT '',
    attempt integer NOT NULL,
    node_type text NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'waiting', 'success', 'failed', 'skipped')),
    input jsonb,
    output jsonb,
    context_updates jsonb,
    routes text[],
    error jsonb,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, execution_id, node_id, loop_index, attempt),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions
);
-- A node succeeds once: a second process of the same attempt loses here and takes back its effects.
CREATE UNIQUE INDEX execution_log_one_success ON execution_log (tenant_id, execution_id, node_id, loop_index)
    WHERE status = 'success';

CREATE TABLE tasks (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    record_id uuid,
    type text NOT NULL,
    title text NOT NULL,
    description text,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'cancelled')),
    priority text NOT NULL,
    assigned_to text,
    due_at timestamptz,
    remind_at timestamptz,
    execution_id uuid,
    node_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, record_id) REFERENCES records
);
CREATE INDEX tasks_record ON tasks (tenant_id, record_id);

CREATE TABLE notifications (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    priority text NOT NULL,
    link_url text,
    status text NOT NULL DEFAULT 'unread',
    execution_id uuid,
    node_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX notifications_recipient ON notifications (tenant_id, recipient, created_at DESC);
"""

RECORD_EVENTS = """
CREATE FUNCTION record_changes(old_data jsonb, new_data jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg(key ORDER BY key), '{}') FROM (
        SELECT key FROM jsonb_object_keys(old_data || new_data) AS key
        WHERE old_data -> key IS DISTINCT FROM new_data -> key
    ) AS changed
$$;

-- In the writing transaction: a plain SQL client fires workflows too, and a rollback takes the event along.
CREATE FUNCTION write_record_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_kind text;
    row_now records;
    fields text[] := '{}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        event_kind := 'created'; row_now := NEW;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.deleted_at IS NOT NULL THEN RETURN NULL; END IF;
        event_kind := 'deleted'; row_now := OLD;
    ELSE
        row_now := NEW;
        IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
            event_kind := 'deleted';
        ELSE
            event_kind := 'updated';
            fields := record_changes(OLD.data, NEW.data);
            IF NEW.stage IS DISTINCT FROM OLD.stage THEN fields := fields || 'stage'::text; END IF;
            IF NEW.owner IS DISTINCT FROM OLD.owner THEN fields := fields || 'owner'::text; END IF;
            IF fields = '{}' AND NEW.deleted_at IS NOT DISTINCT FROM OLD.deleted_at THEN RETURN NULL; END IF;
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

CREATE TRIGGER records_write_event AFTER INSERT OR UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION write_record_event();

CREATE FUNCTION notify_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('oneo_work', TG_ARGV[0]);
    RETURN NULL;
END
$$;

CREATE TRIGGER executions_notify AFTER INSERT OR UPDATE OF status, run_state ON executions
    FOR EACH ROW EXECUTE FUNCTION notify_work('execution');
CREATE TRIGGER workflows_notify AFTER INSERT OR UPDATE ON workflows
    FOR EACH ROW EXECUTE FUNCTION notify_work('workflow');
"""

ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oneo_app') THEN CREATE ROLE oneo_app NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oneo_system') THEN CREATE ROLE oneo_system NOLOGIN; END IF;
    EXECUTE format('GRANT oneo_app, oneo_system TO %I', current_user);
END $$;
GRANT USAGE ON SCHEMA public TO oneo_app, oneo_system;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    pipelines, records, workflows, active_triggers, executions, execution_log, tasks, notifications TO oneo_app;
GRANT SELECT, INSERT ON record_events, workflow_versions TO oneo_app;
GRANT SELECT ON tenants TO oneo_app;
GRANT USAGE ON SEQUENCE workflow_revision TO oneo_app;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO oneo_system;
GRANT INSERT, UPDATE ON tenants TO oneo_system;
GRANT UPDATE ON record_events, workflows TO oneo_system;
GRANT INSERT, UPDATE ON executions, execution_log TO oneo_system;
"""

TENANT_TABLES = (
    "pipelines",
    "records",
    "record_events",
    "workflows",
    "workflow_versions",
    "active_triggers",
    "executions",
    "execution_log",
    "tasks",
    "notifications",
)


def upgrade() -> None:
    """Create everything."""
    op.execute(TABLES)
    op.execute(RECORD_EVENTS)
    op.execute(ROLES)
    for table, column in [("tenants", "id"), *((table, "tenant_id") for table in TENANT_TABLES)]:
        mine = f"{column} = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Drop everything but the roles, which other databases of the server may use."""
    for table in ("tenants", *TENANT_TABLES):
        op.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
    op.execute("DROP SEQUENCE IF EXISTS workflow_revision")
    op.execute("DROP FUNCTION IF EXISTS write_record_event, notify_work, record_changes CASCADE")
