-- The first schema: tables and indexes as schema.prisma describes them (made with prisma/drift.ts), then what Prisma cannot say.
-- CreateTable
CREATE TABLE "program" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "program_version" INTEGER NOT NULL,
    "time_zone" TEXT NOT NULL,
    "direction" TEXT NOT NULL,
    "interval_minutes" INTEGER NOT NULL,
    "baseline" JSON NOT NULL,
    "netting" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "energy_price" TEXT,
    "capacity_price" TEXT,
    "customer_share" TEXT NOT NULL,
    "floor_level" TEXT NOT NULL,
    "paid_ratio_cap" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "limits" JSON NOT NULL,
    "holidays" TEXT[],
    "rules" JSON NOT NULL,
    "state" TEXT NOT NULL,

    CONSTRAINT "program_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "service_point" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "time_zone" TEXT,
    "grid_path" TEXT[],
    "import_limit_w" BIGINT,
    "export_limit_w" BIGINT,
    "account" TEXT,

    CONSTRAINT "service_point_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "resource" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "service_point" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "rated_w" BIGINT NOT NULL,
    "cost" TEXT NOT NULL,
    "min_block_w" BIGINT NOT NULL,
    "bindings" JSON NOT NULL,
    "remotes" TEXT[],
    "constraints" JSON NOT NULL,
    "state" TEXT NOT NULL,

    CONSTRAINT "resource_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "enrolment" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "program" TEXT NOT NULL,
    "program_version" INTEGER NOT NULL,
    "service_point" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "share" TEXT,
    "nominated_w" BIGINT,
    "consent" JSON,
    "history" JSON NOT NULL,

    CONSTRAINT "enrolment_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "aggregation" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "hierarchy" TEXT NOT NULL,
    "parent" TEXT,
    "cap_w" BIGINT,
    "members" JSON NOT NULL,

    CONSTRAINT "aggregation_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "availability" (
    "tenant" TEXT NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "resource" TEXT NOT NULL,
    "start" BIGINT NOT NULL,
    "end" BIGINT NOT NULL,
    "down_w" BIGINT NOT NULL,
    "up_w" BIGINT NOT NULL,
    "down_p10_w" BIGINT,
    "down_p90_w" BIGINT,
    "up_p10_w" BIGINT,
    "up_p90_w" BIGINT,
    "expected_w" BIGINT,
    "source" TEXT NOT NULL,
    "issued_at" BIGINT NOT NULL,

    CONSTRAINT "availability_pkey" PRIMARY KEY ("tenant","seq")
);

-- CreateTable
CREATE TABLE "dispatch" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "program" TEXT NOT NULL,
    "program_version" INTEGER NOT NULL,
    "delta_w" BIGINT NOT NULL,
    "start" BIGINT NOT NULL,
    "end" BIGINT NOT NULL,
    "scope" JSON,
    "mode" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "reason" TEXT,
    "test" BOOLEAN NOT NULL,
    "emergency" TEXT[],
    "created_by" TEXT NOT NULL,
    "released_by" TEXT,
    "allocation" JSON NOT NULL,
    "allocated_w" BIGINT NOT NULL,
    "shortfall_w" BIGINT NOT NULL,
    "binding_constraints" TEXT[],
    "warnings" TEXT[],

    CONSTRAINT "dispatch_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "delivery" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "dispatch" TEXT NOT NULL,
    "resource" TEXT NOT NULL,
    "service_point" TEXT NOT NULL,
    "order" JSON NOT NULL,
    "start" BIGINT NOT NULL,
    "end" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "attempts" INTEGER NOT NULL,
    "remote_ref" TEXT,
    "sent_at" BIGINT,
    "delivered_at" BIGINT,
    "acknowledged_at" BIGINT,
    "state_at" BIGINT NOT NULL,

    CONSTRAINT "delivery_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "verification_result" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "dispatch" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "method_version" INTEGER NOT NULL,
    "input_hash" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "body" JSON,

    CONSTRAINT "verification_result_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "settlement_run" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "program" TEXT NOT NULL,
    "program_version" INTEGER NOT NULL,
    "from" BIGINT NOT NULL,
    "to" BIGINT NOT NULL,
    "run_number" INTEGER NOT NULL,
    "supersedes" TEXT,
    "state" TEXT NOT NULL,
    "calculated_by" TEXT NOT NULL,
    "approved_by" TEXT,
    "currency" TEXT NOT NULL,
    "revenue" TEXT NOT NULL,
    "customer_pool" TEXT NOT NULL,
    "aggregator" TEXT NOT NULL,
    "input" JSON,
    "input_hash" TEXT NOT NULL,
    "result" JSON,
    "result_hash" TEXT NOT NULL,

    CONSTRAINT "settlement_run_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "statement" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "run" TEXT NOT NULL,
    "service_point" TEXT NOT NULL,
    "delivered_wh" BIGINT NOT NULL,
    "amount" TEXT NOT NULL,
    "delta" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "body" JSON,

    CONSTRAINT "statement_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "reading_tenant" (
    "number" SMALLSERIAL NOT NULL,
    "tenant" TEXT NOT NULL,

    CONSTRAINT "reading_tenant_pkey" PRIMARY KEY ("number")
);

-- CreateTable
CREATE TABLE "reading_point" (
    "tenant" SMALLINT NOT NULL,
    "number" SERIAL NOT NULL,
    "service_point" TEXT NOT NULL,

    CONSTRAINT "reading_point_pkey" PRIMARY KEY ("tenant","number")
);

-- CreateTable
CREATE TABLE "reading_source" (
    "tenant" SMALLINT NOT NULL,
    "number" SERIAL NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "reading_source_pkey" PRIMARY KEY ("tenant","number")
);

-- CreateTable
CREATE TABLE "reading" (
    "start" BIGINT NOT NULL,
    "wh" BIGINT NOT NULL,
    "received_at" BIGINT NOT NULL,
    "point" INTEGER NOT NULL,
    "source" INTEGER NOT NULL,
    "minutes" INTEGER NOT NULL,
    "tenant" SMALLINT NOT NULL,
    "channel" SMALLINT NOT NULL,
    "quality" SMALLINT NOT NULL,
    "source_version" SMALLINT NOT NULL,
    "lineage" TEXT,

    CONSTRAINT "reading_pkey" PRIMARY KEY ("tenant","point","channel","start")
);

-- CreateTable
CREATE TABLE "reading_history" (
    "start" BIGINT NOT NULL,
    "wh" BIGINT NOT NULL,
    "received_at" BIGINT NOT NULL,
    "point" INTEGER NOT NULL,
    "source" INTEGER NOT NULL,
    "minutes" INTEGER NOT NULL,
    "tenant" SMALLINT NOT NULL,
    "channel" SMALLINT NOT NULL,
    "quality" SMALLINT NOT NULL,
    "source_version" SMALLINT NOT NULL,
    "lineage" TEXT,

    CONSTRAINT "reading_history_pkey" PRIMARY KEY ("tenant","point","channel","start","source_version")
);

-- CreateTable
CREATE TABLE "document" (
    "tenant" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "parent" TEXT NOT NULL,
    "key" TEXT,
    "targets" TEXT[],
    "owner" TEXT,
    "sort1" DOUBLE PRECISION NOT NULL,
    "sort2" DOUBLE PRECISION NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" BIGINT NOT NULL,
    "modified_at" BIGINT NOT NULL,
    "body" JSON NOT NULL,

    CONSTRAINT "document_pkey" PRIMARY KEY ("tenant","kind","id")
);

-- CreateTable
CREATE TABLE "agenda" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "due_at" BIGINT NOT NULL,
    "lease_until" BIGINT NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "payload" JSON,
    "error" TEXT,

    CONSTRAINT "agenda_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit" (
    "tenant" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("tenant","seq")
);

-- CreateTable
CREATE TABLE "audit_chain" (
    "tenant" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_chain_pkey" PRIMARY KEY ("tenant")
);

-- CreateTable
CREATE TABLE "idempotency" (
    "tenant" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "body" JSON,
    "created_at" BIGINT NOT NULL,

    CONSTRAINT "idempotency_pkey" PRIMARY KEY ("tenant","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "program_tenant_name_key" ON "program"("tenant", "name");

-- CreateIndex
CREATE INDEX "service_point_grid_path_idx" ON "service_point" USING GIN ("grid_path");

-- CreateIndex
CREATE UNIQUE INDEX "service_point_tenant_name_key" ON "service_point"("tenant", "name");

-- CreateIndex
CREATE INDEX "resource_tenant_service_point_idx" ON "resource"("tenant", "service_point");

-- CreateIndex
CREATE INDEX "resource_remotes_idx" ON "resource" USING GIN ("remotes");

-- CreateIndex
CREATE UNIQUE INDEX "resource_tenant_name_key" ON "resource"("tenant", "name");

-- CreateIndex
CREATE INDEX "enrolment_tenant_program_state_idx" ON "enrolment"("tenant", "program", "state");

-- CreateIndex
CREATE INDEX "enrolment_tenant_service_point_idx" ON "enrolment"("tenant", "service_point");

-- CreateIndex
CREATE INDEX "aggregation_tenant_hierarchy_parent_idx" ON "aggregation"("tenant", "hierarchy", "parent");

-- CreateIndex
CREATE UNIQUE INDEX "aggregation_tenant_name_key" ON "aggregation"("tenant", "name");

-- CreateIndex
CREATE INDEX "availability_tenant_resource_end_start_idx" ON "availability"("tenant", "resource", "end", "start");

-- CreateIndex
CREATE INDEX "dispatch_tenant_program_idx" ON "dispatch"("tenant", "program");

-- CreateIndex
CREATE INDEX "dispatch_tenant_end_start_idx" ON "dispatch"("tenant", "end", "start");

-- CreateIndex
CREATE INDEX "delivery_tenant_dispatch_resource_idx" ON "delivery"("tenant", "dispatch", "resource");

-- CreateIndex
CREATE INDEX "delivery_tenant_resource_end_idx" ON "delivery"("tenant", "resource", "end");

-- CreateIndex
CREATE INDEX "verification_result_tenant_dispatch_kind_subject_idx" ON "verification_result"("tenant", "dispatch", "kind", "subject");

-- CreateIndex
CREATE INDEX "settlement_run_tenant_program_idx" ON "settlement_run"("tenant", "program");

-- CreateIndex
CREATE INDEX "statement_tenant_run_idx" ON "statement"("tenant", "run");

-- CreateIndex
CREATE INDEX "statement_tenant_service_point_idx" ON "statement"("tenant", "service_point");

-- CreateIndex
CREATE UNIQUE INDEX "reading_tenant_tenant_key" ON "reading_tenant"("tenant");

-- CreateIndex
CREATE UNIQUE INDEX "reading_point_tenant_service_point_key" ON "reading_point"("tenant", "service_point");

-- CreateIndex
CREATE UNIQUE INDEX "reading_source_tenant_source_key" ON "reading_source"("tenant", "source");

-- CreateIndex
CREATE INDEX "document_tenant_kind_parent_created_at_id_idx" ON "document"("tenant", "kind", "parent", "created_at", "id");

-- CreateIndex
CREATE INDEX "document_tenant_kind_parent_sort1_sort2_idx" ON "document"("tenant", "kind", "parent", "sort1", "sort2");

-- CreateIndex
CREATE INDEX "document_tenant_kind_owner_idx" ON "document"("tenant", "kind", "owner");

-- CreateIndex
CREATE INDEX "document_targets_idx" ON "document" USING GIN ("targets");

-- CreateIndex
CREATE UNIQUE INDEX "document_tenant_kind_parent_key_key" ON "document"("tenant", "kind", "parent", "key");

-- CreateIndex
CREATE INDEX "agenda_task_due_at_id_idx" ON "agenda"("task", "due_at", "id");

-- CreateIndex
CREATE INDEX "agenda_tenant_subject_id_idx" ON "agenda"("tenant", "subject", "id");

-- CreateIndex
CREATE INDEX "audit_tenant_entity_seq_idx" ON "audit"("tenant", "entity", "seq");

-- CreateIndex
CREATE INDEX "audit_tenant_at_idx" ON "audit"("tenant", "at");

-- AddForeignKey
ALTER TABLE "resource" ADD CONSTRAINT "resource_tenant_service_point_fkey" FOREIGN KEY ("tenant", "service_point") REFERENCES "service_point"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "enrolment" ADD CONSTRAINT "enrolment_tenant_program_fkey" FOREIGN KEY ("tenant", "program") REFERENCES "program"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "enrolment" ADD CONSTRAINT "enrolment_tenant_service_point_fkey" FOREIGN KEY ("tenant", "service_point") REFERENCES "service_point"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "dispatch" ADD CONSTRAINT "dispatch_tenant_program_fkey" FOREIGN KEY ("tenant", "program") REFERENCES "program"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_tenant_dispatch_fkey" FOREIGN KEY ("tenant", "dispatch") REFERENCES "dispatch"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_tenant_resource_fkey" FOREIGN KEY ("tenant", "resource") REFERENCES "resource"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "settlement_run" ADD CONSTRAINT "settlement_run_tenant_program_fkey" FOREIGN KEY ("tenant", "program") REFERENCES "program"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "statement" ADD CONSTRAINT "statement_tenant_run_fkey" FOREIGN KEY ("tenant", "run") REFERENCES "settlement_run"("tenant", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- CORE-115: a correction keeps the value it supersedes. A trigger, so no code path can forget it; it fires for corrections only.
CREATE FUNCTION "keep_superseded_reading"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "reading_history" ("start", "wh", "received_at", "point", "source", "minutes", "tenant", "channel", "quality", "source_version", "lineage")
  VALUES (OLD."start", OLD."wh", OLD."received_at", OLD."point", OLD."source", OLD."minutes", OLD."tenant", OLD."channel", OLD."quality", OLD."source_version", OLD."lineage");
  RETURN NEW;
END $$;
CREATE TRIGGER "reading_superseded" BEFORE UPDATE ON "reading" FOR EACH ROW EXECUTE FUNCTION "keep_superseded_reading"();

-- Cache rule of stack.md: every write to documents is told to all processes by the transaction that makes it.
CREATE FUNCTION "announce_documents"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('loadstone_document', json_build_array("tenant", "kind")::text) FROM (SELECT DISTINCT "tenant", "kind" FROM "changed") AS "kinds";
  RETURN NULL;
END $$;
CREATE TRIGGER "document_inserted" AFTER INSERT ON "document" REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "announce_documents"();
CREATE TRIGGER "document_updated" AFTER UPDATE ON "document" REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "announce_documents"();
CREATE TRIGGER "document_deleted" AFTER DELETE ON "document" REFERENCING OLD TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "announce_documents"();

-- The outbox wakes its workers.
CREATE FUNCTION "announce_agenda"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('loadstone_agenda', '');
  RETURN NULL;
END $$;
CREATE TRIGGER "agenda_added" AFTER INSERT ON "agenda" FOR EACH STATEMENT EXECUTE FUNCTION "announce_agenda"();

-- SEC-063: audit records are appended, never changed or removed.
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit records are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();

-- Hot tables are vacuumed for inserts sooner than by default, and agenda, a queue, more often still.
ALTER TABLE "agenda" SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 70);
