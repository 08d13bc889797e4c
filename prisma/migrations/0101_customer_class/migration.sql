-- CORE-021: whom a service point serves, in the utility's own word; null where nobody has told.
ALTER TABLE "service_point" ADD COLUMN "customer_class" TEXT;
