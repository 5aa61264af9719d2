/**
 * Bull Board over a project's queues: operators inspect and retry here. Works without the internet,
 * shows no stack traces of its own, and does only what `board-actions.ts` allows.
 */
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { AppViewRoute } from "@bull-board/api/typings/app";
import { ExpressAdapter } from "@bull-board/express";
import type { Queue } from "bullmq";
import type { Express } from "express";
import { checkAction } from "./board-actions.ts";

export interface BoardOptions {
  readonly queues: readonly Queue[];
  readonly environment: string | undefined;
  readonly readOnly: boolean;
  readonly onError: (error: unknown) => void;
}

/** The board as an Express app, to be mounted at `basePath`. */
export function bullBoard(basePath: string, options: BoardOptions): Express {
  const serverAdapter = new OfflineAdapter();
  serverAdapter.setBasePath(basePath);
  createBullBoard({
    serverAdapter,
    queues: options.queues.map((queue) => adapterOf(queue, options.readOnly)),
    options: {
      handlerHooks: { before: (context) => checkAction(context, options.readOnly) },
      uiConfig: {
        boardTitle: "Sluice",
        hideDocsLink: true,
        showMetrics: true,
        pollingInterval: { forceInterval: 10 },
        ...(options.environment !== undefined && { environment: badge(options.environment) }),
      },
    },
  });
  // Bull Board's own handler answers with the error's message, and in development with its stack.
  serverAdapter.setErrorHandler((error) => {
    const status = "statusCode" in error && error.statusCode === 400 ? 400 : 500;
    if (status === 500) options.onError(error);
    const key = status === 400 ? "ERRORS.INVALID_REQUEST_BODY" : "ERRORS.INTERNAL_SERVER_ERROR";
    return { status, body: { error: { key } } };
  });
  return serverAdapter.getRouter().disable("x-powered-by");
}

/** Bull Board's page asks Google for a font. Ours does not: the page must work in a closed network. */
class OfflineAdapter extends ExpressAdapter {
  override setEntryRoute(route: AppViewRoute): this {
    this.app.get(route.route, (_request, response, next) => {
      const { name, params } = route.handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, html: string) => {
        if (error === null) response.send(html.replace(/<link href="https:[^>]*>/g, ""));
        else next(error);
      });
    });
    return this;
  }

  override getRouter(): Express {
    return this.app;
  }
}

function adapterOf(queue: Queue, readOnlyMode: boolean): BullMQAdapter {
  // Not written in place: the adapter takes allowCompletedRetries, its type leaves it out.
  const settings = { readOnlyMode, allowCompletedRetries: false };
  return new BullMQAdapter(queue, settings);
}

/** A bar across every page, so that nobody retries in production what they meant for staging. */
function badge(label: string): { label: string; color: string; textColor: string } {
  const colors: Readonly<Record<string, string>> = { production: "#b42318", staging: "#b54708" };
  return { label, color: colors[label] ?? "#175cd3", textColor: "#ffffff" };
}
