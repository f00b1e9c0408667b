//! Providers: ask a model. Owns endpoints and their dialects; retries are its own, caps are not.
