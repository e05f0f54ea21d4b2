"""What decides and drives: route, planner, preflight, runner, journal, lock, prober, undo."""
