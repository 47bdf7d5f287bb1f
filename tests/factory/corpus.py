"""All mistakes that the checks are held to, by the class they belong to."""

from __future__ import annotations

from tests.factory import (
    corpus_branches,
    corpus_config,
    corpus_dialects,
    corpus_errors,
    corpus_form,
    corpus_graph,
    corpus_loop_options,
    corpus_loop_reads,
    corpus_loop_shapes,
    corpus_loops,
    corpus_names,
    corpus_secrets,
)
from tests.factory.mistake import Mistake

CLASSES: dict[str, list[Mistake]] = {
    **corpus_form.CLASSES,
    **corpus_config.CLASSES,
    **corpus_graph.CLASSES,
    **corpus_branches.CLASSES,
    **corpus_loops.CLASSES,
    **corpus_loop_options.CLASSES,
    **corpus_loop_reads.CLASSES,
    **corpus_names.CLASSES,
    **corpus_secrets.CLASSES,
    **corpus_dialects.CLASSES,
    "error handling": corpus_errors.MISTAKES,
    "shapes of loops": corpus_loop_shapes.MISTAKES,
}
