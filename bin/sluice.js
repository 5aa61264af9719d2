#!/usr/bin/env node
/** The command line, run from its TypeScript sources. */

import "./typescript.js";

// The SDK's version is pinned, so its advice about future versions is not for the user.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
await import("../src/cli/main.ts");
