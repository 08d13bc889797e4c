-- CreateTable
CREATE TABLE "audit_detail" (
    "tenant" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "before" TEXT,
    "after" TEXT,

    CONSTRAINT "audit_detail_pkey" PRIMARY KEY ("tenant","seq")
);
