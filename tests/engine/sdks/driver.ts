// What tests/engine/test_sdks.py puts beside an example's index.ts: runs programs through Node's Automation API.
//
//     driver VERB PROGRAM FOLDER CONFIG
//
// FOLDER holds a Pulumi.yaml, CONFIG is JSON: path → value. All that the engine says goes to stdout.

import * as auto from "@pulumi/pulumi/automation";
import { fails, providers } from "./scenarios.js";

const programs: Record<string, auto.PulumiFn> = {
    example: async () => ({ ...(await import("./index.js")) }),
    providers,
    fails,
};

async function prepared(name: string, folder: string, config: string): Promise<auto.Stack> {
    const program = { stackName: "dev", projectName: "", program: programs[name] };
    const stack = await auto.LocalWorkspace.createOrSelectStack(program, { workDir: folder });
    const values: Record<string, string> = JSON.parse(config);
    const settings = Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value }]));
    await stack.setAllConfig(settings, true);
    return stack;
}

async function drive(verb: string, stack: auto.Stack): Promise<void> {
    const say = (text: string) => process.stdout.write(text);
    const options = { color: "never", onOutput: say, onError: say } as const;
    await (verb === "preview" ? stack.preview(options) : stack.up(options));
}

const [verb, name, folder, config] = process.argv.slice(2);
prepared(name, folder, config).then(
    (stack) => drive(verb, stack).catch(() => (process.exitCode = 1)), // what happened, the engine has said
    (error) => {
        console.log(error);
        process.exitCode = 1;
    },
);
