-- SEP-057: an aggregator's 100,000 EndDevices are paged in their order (changedTime descending, sFDI) from an index.
DROP INDEX "document_tenant_kind_owner_idx";
CREATE INDEX "document_tenant_kind_owner_sort1_sort2_idx" ON "document"("tenant", "kind", "owner", "sort1" DESC, "sort2");
