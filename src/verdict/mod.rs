//! Verdicts: reads which tests ran and failed out of what test runners print. Runs nothing.
