"""Everywhere that anybody can look on a running stack."""

from __future__ import annotations

import gzip

import psycopg


def tables(stack) -> dict[str, str]:
    """Every table of both databases as text."""
    from oneo_app.stack import postgres
    from oneo_app.stack.layout import layout

    found = {}
    for database in ("oneo", "airflow"):
        with psycopg.connect(postgres.superuser_dsn(layout(stack.home), database)) as connection:
            names = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (name,) in names:
                rows = connection.execute(f'SELECT to_jsonb(t)::text FROM "{name}" t').fetchall()
                found[f"{database}.{name}"] = "\n".join(row[0] for row in rows)
    return found


def files(stack) -> dict[str, str]:
    """Every file of the stack but the database's own; large results unpacked."""
    found = {}
    for path in stack.home.rglob("*"):
        if path.is_file() and path.relative_to(stack.home).parts[0] != "pg":
            content = path.read_bytes()
            text = gzip.decompress(content) if path.suffix == ".gz" else content
            found[str(path.relative_to(stack.home))] = text.decode(errors="replace")
    return found


def answers(stack, dag_ids: list[str]) -> dict[str, str]:
    """What Airflow's REST API, which its UI stands on, tells of the runs."""
    found = {}
    with stack.airflow() as airflow:

        def get(path: str) -> dict:
            answer = airflow.get(path, headers={"Accept": "application/json"})
            found[path] = answer.text
            return answer.json() if answer.status_code == 200 else {}

        get("/api/v2/eventLogs?limit=1000")
        for dag_id in dag_ids:
            get(f"/api/v2/dags/{dag_id}/details")
            for run in get(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]:
                of_run = f"/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
                for task in get(f"{of_run}/taskInstances")["task_instances"]:
                    of_task = f"{of_run}/taskInstances/{task['task_id']}"
                    get(of_task)
                    get(f"{of_task}/logs/{task['try_number'] or 1}?full_content=true")
                    for entry in get(f"{of_task}/xcomEntries").get("xcom_entries", []):
                        get(f"{of_task}/xcomEntries/{entry['key']}?deserialize=false")
    return found
