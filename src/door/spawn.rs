//! Processes: starts them with a cleared environment and ends whole process trees.
