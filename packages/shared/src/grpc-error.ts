import { isGrpcServiceError } from "@temporalio/client";

/** gRPC's status codes, by the names of its specification. */
export const GRPC = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** What gRPC says about a call that failed, also where the SDK has wrapped it. Null: the error is of another kind. */
export function toGrpcError(error: unknown): { code: number; details: string } | null {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) ? { code: Number(cause.code), details: cause.details } : null;
}

/** Whether a call failed with one of these codes. */
export function hasGrpcCode(error: unknown, codes: readonly number[]): boolean {
  const failed = toGrpcError(error);
  return failed !== null && codes.includes(failed.code);
}
