/** Opens what a command needs, from settings, and closes it. */
import type { Project } from "./core/config.ts";
import { Engine } from "./queue/engine.ts";
import type { Workplace } from "./queue/runtime.ts";
import { required, type Settings } from "./settings.ts";
import { type OpenedStores, openStores } from "./stores/open-stores.ts";

export interface OpenWorkplace extends Workplace {
  readonly stores: OpenedStores;
  close(): Promise<void>;
}

export function openSettingsStores(settings: Settings): OpenedStores {
  const { SOURCE_URL: sourceUrl, WAREHOUSE_URL: warehouseUrl, SLUICE_BUCKET: bucket } = settings;
  return openStores({
    sourceUrl,
    warehouseUrl,
    s3:
      bucket === undefined
        ? undefined
        : {
            bucket,
            prefix: settings.SLUICE_BUCKET_PREFIX,
            region: settings.AWS_REGION,
            endpoint: settings.AWS_ENDPOINT_URL_S3,
            // Session tokens, roles and profiles are the SDK's to find: only a bare pair is passed on.
            accessKeyId: settings.AWS_ENDPOINT_URL_S3 && settings.AWS_ACCESS_KEY_ID,
            secretAccessKey: settings.AWS_ENDPOINT_URL_S3 && settings.AWS_SECRET_ACCESS_KEY,
          },
  });
}

export async function openWorkplace(project: Project, settings: Settings): Promise<OpenWorkplace> {
  const engine = await Engine.open({
    redisUrl: required(settings, "REDIS_URL").reveal(),
    prefix: settings.SLUICE_PREFIX,
    environment: settings.SLUICE_ENVIRONMENT,
  });
  const stores = openSettingsStores(settings);
  return {
    engine,
    project,
    stores,
    async close() {
      await Promise.all([engine.close(), stores.close()]);
    },
  };
}
