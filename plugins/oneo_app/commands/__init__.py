"""Sub-commands of `oneo`, one module per topic."""
