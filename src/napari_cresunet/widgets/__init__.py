"""The docks. Nothing is imported here: the manifest points at leaf modules."""
