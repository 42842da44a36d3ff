"""Programs that fetch a list with one library each, as its documentation says, run by the peers' own interpreter."""
