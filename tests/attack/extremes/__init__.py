"""Numbers, shapes and arrays at the ends of what there is."""
