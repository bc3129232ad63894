// Runs test files of node:test, two at once, each in its own process; `run` prepares what they need.
// Files of a kind share one Chromium? No: each has its own, so that one that hangs costs its file alone.
