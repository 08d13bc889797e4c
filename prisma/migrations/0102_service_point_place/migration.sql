-- UX-047: where a service point is, for maps; null where nobody has told.
ALTER TABLE "service_point" ADD COLUMN "latitude" DOUBLE PRECISION,
ADD COLUMN "longitude" DOUBLE PRECISION;
