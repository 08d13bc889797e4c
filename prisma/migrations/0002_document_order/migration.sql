-- Lists over a whole kind, oldest first (OA-058), without sorting the kind.
-- CreateIndex
CREATE INDEX "document_tenant_kind_created_at_id_idx" ON "document"("tenant", "kind", "created_at", "id");
