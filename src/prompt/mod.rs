//! Prompts: goal + context → messages, by templates, within a budget. Asks nobody.
