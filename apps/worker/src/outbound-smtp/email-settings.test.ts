import { parseEnvironment } from "@truerun/shared/config";
import { describe, expect, it } from "vitest";
import { componentsEnv } from "../components-config.ts";
import { parseEmailSender, parseSmtpUrl } from "./email-settings.ts";

describe("SMTP_URL", () => {
  it.each([
    ["smtp://mail.example.com", { host: "mail.example.com", port: 587, isSecure: false }],
    ["smtps://mail.example.com/", { host: "mail.example.com", port: 465, isSecure: true }],
    ["smtp://[::1]:25", { host: "::1", port: 25, isSecure: false }],
  ])("%s", (text, server) => {
    expect(parseSmtpUrl(text)).toEqual({ ...server, auth: null });
  });

  it("may hold credentials with special characters as %XX", () => {
    expect(parseSmtpUrl("smtp://a%40b.c:p%3Aw%2F%25@host")).toMatchObject({
      auth: { user: "a@b.c", password: "p:w/%" },
    });
  });

  it("may stand for the outbox folder", () => {
    expect(parseSmtpUrl("outbox:")).toBe("outbox:");
  });

  it.each([
    "host:25",
    "http://host",
    "smtp://",
    "smtp://user@host",
    "smtp://:password@host",
    "smtp://user:%zz@host",
    "smtp://host/path",
    "smtp://host?proxy=x",
    "smtp://host:99999",
  ])("cannot be %s", (text) => {
    expect(parseSmtpUrl(text)).toBeNull();
  });
});

describe("EMAIL_FROM", () => {
  it.each([
    ["a@example.com", "", "a@example.com"],
    ["Privacy team <a@example.com>", "Privacy team", "a@example.com"],
    ['"Team, Privacy" <a@example.com>', "Team, Privacy", "a@example.com"],
  ])("%s", (text, name, address) => {
    expect(parseEmailSender(text)).toEqual({ name, address });
  });

  it.each(["nobody", "a@b@c.de", "a@example.com, b@example.com", "X\r\nBcc: y <a@example.com>"])(
    "cannot be %j",
    (text) => {
      expect(parseEmailSender(text)).toBeNull();
    },
  );
});

it("the refusal of a configuration names both, and shows no password", () => {
  const given = { SMTP_URL: "smtp://user:hush%@host", EMAIL_FROM: "nobody" };
  let message = "";
  try {
    parseEnvironment(componentsEnv, given);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain("SMTP_URL is set (not shown): expected smtp://");
  expect(message).toContain('EMAIL_FROM is "nobody": expected name@example.com');
  expect(message).not.toContain("hush");
});
