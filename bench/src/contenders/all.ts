import type { Contender } from "./contender.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { bareNode } from "./node.ts";
import { portkey } from "./portkey.ts";
import { tuloy, tuloyKeyed, tuloyLatency } from "./tuloy.ts";

/** In the order in which they take turns and stand in the tables. The first that runs is the floor. */
export const contenders: readonly Contender[] = [haproxy, nginx, bareNode, tuloy, tuloyLatency, tuloyKeyed, portkey];
