"""The latest values of pushed metrics, and moments that wait for one of their series.

A push takes over what is newer than what is there, value by value, and is an event with the values before and after.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
-- data: the latest value of each name; measured: when each was measured.
CREATE TABLE metrics (
    tenant_id text NOT NULL REFERENCES tenants,
    series text NOT NULL CHECK (series ~ '^[A-Za-z0-9_.:-]{1,200}$'),
    data jsonb NOT NULL DEFAULT '{}',
    measured jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, series)
);
ALTER TABLE metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON metrics TO oneo_app
    USING (tenant_id = nullif(current_setting('oneo.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('oneo.tenant', true), ''));
CREATE POLICY all_tenants ON metrics TO oneo_system USING (true) WITH CHECK (true);

-- series: the metrics that the moment is about, where it is about no record.
ALTER TABLE timers ADD COLUMN series text;

GRANT SELECT, INSERT, UPDATE ON metrics TO oneo_app, oneo_system;
GRANT UPDATE ON metrics TO oneo_removal;
-- A workflow that is withdrawn waits for nothing.
GRANT DELETE ON timers TO oneo_app;
"""

# The one place that knows what is newer. Whoever comes first to the row is first where nobody says when they measured.
PUSH = """
CREATE FUNCTION oneo_push_metrics(tenant text, series text, pushed jsonb, at timestamptz DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    held metrics;
    moment timestamptz;
    newer jsonb;
    event_id bigint;
BEGIN
    INSERT INTO metrics (tenant_id, series) VALUES (tenant, oneo_push_metrics.series) ON CONFLICT DO NOTHING;
    SELECT * INTO held FROM metrics
        WHERE tenant_id = tenant AND metrics.series = oneo_push_metrics.series FOR UPDATE;
    moment := least(coalesce(at, clock_timestamp()), clock_timestamp());
    SELECT jsonb_object_agg(key, value) INTO newer FROM jsonb_each(pushed)
        WHERE NOT held.measured ? key OR (held.measured ->> key)::timestamptz <= moment;
    IF newer IS NULL THEN RETURN NULL; END IF;
    UPDATE metrics SET
        data = held.data || newer,
        measured = held.measured
            || (SELECT jsonb_object_agg(name, moment) FROM jsonb_object_keys(newer) AS name),
        updated_at = clock_timestamp()
        WHERE tenant_id = tenant AND metrics.series = oneo_push_metrics.series;
    INSERT INTO inbox (tenant_id, kind, topic, data, execution_id)
        VALUES (
            tenant, 'metric', oneo_push_metrics.series,
            jsonb_build_object(
                'series', oneo_push_metrics.series, 'at', moment, 'before', held.data, 'after', held.data || newer
            ),
            nullif(current_setting('oneo.execution', true), '')::uuid
        )
        RETURNING id INTO event_id;
    RETURN event_id;
END
$$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(PUSH)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION oneo_push_metrics")
    op.execute("""
        REVOKE DELETE ON timers FROM oneo_app;
        ALTER TABLE timers DROP COLUMN series;
        DROP TABLE metrics;
    """)
