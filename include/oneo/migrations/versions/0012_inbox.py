"""Events that are no changes of records, what was decided about events, and what waits for more of them.

The inbox counts its events with the record events' own numbers: an event has one number, whatever it is, and two of
them have an order.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
-- key: what the sender calls the event; one that comes twice is one.
CREATE TABLE inbox (
    tenant_id text NOT NULL REFERENCES tenants,
    id bigint NOT NULL DEFAULT nextval('record_events_id_seq'),
    kind text NOT NULL,
    topic text NOT NULL,
    key text,
    data jsonb NOT NULL DEFAULT '{}',
    record_id uuid,
    execution_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    handled_at timestamptz,
    problem text,
    decisions jsonb,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX inbox_once ON inbox (tenant_id, kind, topic, key) WHERE key IS NOT NULL;
CREATE INDEX inbox_waiting ON inbox (id) WHERE handled_at IS NULL;
CREATE INDEX inbox_record ON inbox (tenant_id, record_id) WHERE record_id IS NOT NULL;

-- Events of one key of one trigger that will start one execution, which takes the number of the first.
CREATE TABLE gatherings (
    tenant_id text NOT NULL REFERENCES tenants,
    workflow_id text NOT NULL,
    node_id text NOT NULL,
    key text NOT NULL,
    event_ids bigint[] NOT NULL,
    chain jsonb NOT NULL DEFAULT '[]',
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, node_id, key),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows
);
CREATE INDEX gatherings_due ON gatherings (due_at);

-- Moments that triggers wait for.
CREATE TABLE timers (
    tenant_id text NOT NULL REFERENCES tenants,
    workflow_id text NOT NULL,
    node_id text NOT NULL,
    key text NOT NULL,
    record_id uuid,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, node_id, key),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows
);
CREATE INDEX timers_due ON timers (due_at);

ALTER TABLE record_events ADD COLUMN decisions jsonb;
-- The executions, by workflow and id, that led to this one through the events they brought about.
ALTER TABLE executions ADD COLUMN chain jsonb NOT NULL DEFAULT '[]';

-- seen_until: the last record (by id) of those that were there before the trigger and that it has been shown;
-- all_seen: there are no more of them, or the trigger does not ask for them.
DROP INDEX active_triggers_event;
ALTER TABLE active_triggers RENAME COLUMN pipeline_ids TO topics;
ALTER TABLE active_triggers
    ADD COLUMN event_kinds text[] NOT NULL DEFAULT '{}',
    ADD COLUMN policy jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN seen_until uuid,
    ADD COLUMN all_seen boolean NOT NULL DEFAULT true;
ALTER TABLE active_triggers NO FORCE ROW LEVEL SECURITY;
UPDATE active_triggers SET event_kinds = ARRAY[event_kind] WHERE event_kind IS NOT NULL;
ALTER TABLE active_triggers FORCE ROW LEVEL SECURITY;
ALTER TABLE active_triggers DROP COLUMN event_kind;
CREATE INDEX active_triggers_unseen ON active_triggers (tenant_id) WHERE NOT all_seen;

CREATE TRIGGER inbox_notify AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION notify_work('inbox');
"""

# For programs that speak SQL only; returns nothing where the event came before.
EMIT = """
CREATE FUNCTION oneo_emit(tenant text, name text, data jsonb DEFAULT '{}', key text DEFAULT NULL) RETURNS bigint
    LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO inbox (tenant_id, kind, topic, key, data, execution_id)
    VALUES (tenant, 'app', name, key, data, nullif(current_setting('oneo.execution', true), '')::uuid)
    ON CONFLICT DO NOTHING
    RETURNING id
$$;
"""

GRANTS = """
GRANT SELECT, INSERT ON inbox TO oneo_app;
GRANT SELECT ON gatherings, timers TO oneo_app;
GRANT SELECT, INSERT, UPDATE ON inbox TO oneo_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON gatherings, timers TO oneo_system;
GRANT UPDATE (seen_until, all_seen) ON active_triggers TO oneo_system;
GRANT USAGE ON SEQUENCE record_events_id_seq TO oneo_app, oneo_system;
GRANT UPDATE ON inbox, gatherings TO oneo_removal;
"""

NEW = ("inbox", "gatherings", "timers")


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(EMIT)
    op.execute(GRANTS)
    for table in NEW:
        mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo; of a trigger's kinds the first is left."""
    op.execute("DROP FUNCTION oneo_emit")
    for table in NEW:
        op.execute(f"DROP TABLE {table}")
    op.execute("""
        REVOKE USAGE ON SEQUENCE record_events_id_seq FROM oneo_app, oneo_system;
        ALTER TABLE record_events DROP COLUMN decisions;
        ALTER TABLE executions DROP COLUMN chain;
        ALTER TABLE active_triggers ADD COLUMN event_kind text;
        ALTER TABLE active_triggers NO FORCE ROW LEVEL SECURITY;
        UPDATE active_triggers SET event_kind = event_kinds[1];
        ALTER TABLE active_triggers FORCE ROW LEVEL SECURITY;
        ALTER TABLE active_triggers DROP COLUMN event_kinds, DROP COLUMN policy, DROP COLUMN seen_until,
            DROP COLUMN all_seen;
        ALTER TABLE active_triggers RENAME COLUMN topics TO pipeline_ids;
        CREATE INDEX active_triggers_event ON active_triggers (tenant_id, event_kind);
    """)
