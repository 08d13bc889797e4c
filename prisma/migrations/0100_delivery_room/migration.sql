-- A delivery is told of four or five times in its life, and a stop tells of all at once: room for its next version beside it, so that
-- no index has to be written (CORE-204).
ALTER TABLE "delivery" SET (fillfactor = 60);
