/**
 * One stage of a peer's pipeline, where the machine lacks the program for it: `copy <url> <sql>` for
 * psql, `put <settings> <key> <bytes>` for curl.
 */
import { pipeline } from "node:stream/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Client } from "pg";
import { from, to } from "pg-copy-streams";

const [stage, first = "", second = "", third = ""] = process.argv.slice(2);
if (stage === "copy") {
  const client = new Client({ connectionString: first });
  await client.connect();
  if (second.includes("STDIN")) await pipeline(process.stdin, client.query(from(second)));
  else await pipeline(client.query(to(second)), process.stdout);
  await client.end();
} else {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = JSON.parse(first);
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: second,
      Body: process.stdin,
      ContentLength: Number(third),
    }),
  );
}
