"""A whole journal: read in its own format, answered sentence by sentence, changed only there."""
