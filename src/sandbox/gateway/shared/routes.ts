import type { FastifyRequest } from "fastify";
import { type Guid, parseGuid } from "../../../domain/guid.ts";

/** Path patterns: what does not match is an unknown route, so 404. */
export const GUID = ":guid(^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$)";
export const INDEX = ":index(^\\d+$)";

const paramsOf = (request: FastifyRequest): Record<string, string> =>
  request.params as Record<string, string>;

export const guidParameter = (request: FastifyRequest): Guid => parseGuid(paramsOf(request).guid!);
export const indexParameter = (request: FastifyRequest): number => Number(paramsOf(request).index);
export const textParameter = (request: FastifyRequest, name: string): string => paramsOf(request)[name]!;
