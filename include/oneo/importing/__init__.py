"""Records from files: sources of rows, columns to fields, rows to records."""

from oneo.importing.columns import Reading
from oneo.importing.job import ImportOptions, ImportResult, import_file, preview

__all__ = ["ImportOptions", "ImportResult", "Reading", "import_file", "preview"]
