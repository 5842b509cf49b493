-- How often a mail may have been taken without our hearing of it: each may be a copy.
ALTER TABLE deliveries ADD COLUMN unknowns int NOT NULL DEFAULT 0;
