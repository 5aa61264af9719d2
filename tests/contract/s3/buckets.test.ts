import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { contract, refusal } from "./endpoint.ts";

const c = contract();

describe("buckets", () => {
  it("a created bucket is found, a missing one is 404", async () => {
    await c.s3.send(new HeadBucketCommand({ Bucket: c.bucket }));
    const missing = c.s3.send(new HeadBucketCommand({ Bucket: "sluice-no-such-bucket" }));
    expect(await refusal(missing)).toEqual({ name: "NotFound", status: 404 });
  });

  it("buckets are listed and located", async () => {
    const { Buckets = [] } = await c.s3.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toContain(c.bucket);
    const location = await c.s3.send(new GetBucketLocationCommand({ Bucket: c.bucket }));
    expect(location.LocationConstraint ?? "").toBe("");
  });

  it("a bucket with objects is not deleted", async () => {
    await c.put("k", "v");
    const deletion = c.s3.send(new DeleteBucketCommand({ Bucket: c.bucket }));
    expect(await refusal(deletion)).toEqual({ name: "BucketNotEmpty", status: 409 });
  });

  it("a bucket name that S3 would refuse is refused", async () => {
    const creation = c.s3.send(new CreateBucketCommand({ Bucket: "Not_Valid" }));
    expect(await refusal(creation)).toEqual({ name: "InvalidBucketName", status: 400 });
  });
});
