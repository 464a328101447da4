/** Files go up with progress, become their item, or say why not. */

import assert from "node:assert/strict";
import test from "node:test";
import { Uploads } from "../../../widget_static/src/files/uploads.js";
import { onStage, own, refused, settled } from "./stage.js";

/** What the service says to each operation. */
const answering = ({ api }, answers) => {
  api.participant = (key, operation, body) => answers[operation](body);
};

test("a file goes up with progress and becomes its item", async () => {
  const file = { name: "a.png", type: "image/png", size: 9 };
  const seen = [];
  const put = async (metadata, sent, progress) => {
    seen.push(metadata, sent);
    progress(0.5);
  };
  const scene = await onStage({ put });
  answering(scene, {
    "start-attachment-upload": async () => ({ AttachmentId: "a1", UploadMetadata: { Url: "https://up.test" } }),
    "complete-attachment-upload": async () => ({}),
  });
  scene.conversation.chat.uploadsBy(Uploads).add(file);
  await settled();
  assert.deepEqual(seen, [{ Url: "https://up.test" }, file]);
  assert.deepEqual(scene.conversation.state.uploads.map(({ state }) => state), ["checking"]);
  const Attachments = [{ AttachmentId: "a1", AttachmentName: "a.png", ContentType: "image/png", Status: "APPROVED" }];
  scene.sockets.last().chat(own({ at: 3, Type: "ATTACHMENT", Content: undefined, Attachments }));
  assert.deepEqual(scene.conversation.state.uploads, []);
});

test("an item that is faster than the answer leaves no upload behind", async () => {
  const scene = await onStage({ put: async () => {} });
  const Attachments = [{ AttachmentId: "a1", AttachmentName: "a.png", ContentType: "image/png", Status: "IN_PROGRESS" }];
  answering(scene, {
    "start-attachment-upload": async () => ({ AttachmentId: "a1", UploadMetadata: {} }),
    "complete-attachment-upload": async () => scene.sockets.last().chat(own({ at: 3, Type: "ATTACHMENT", Attachments })),
  });
  scene.conversation.chat.uploadsBy(Uploads).add({ name: "a.png", size: 9 });
  await settled();
  assert.deepEqual(scene.conversation.state.uploads, []);
});

test("a file that is refused says why and can be tried again", async () => {
  const scene = await onStage({ put: async () => {} });
  answering(scene, {
    "start-attachment-upload": async () => {
      throw refused(400, { detail: "This type is not supported." });
    },
  });
  scene.conversation.chat.uploadsBy(Uploads).add({ name: "a.exe", size: 9 });
  await settled();
  const [upload] = scene.conversation.state.uploads;
  assert.deepEqual([upload.state, upload.failure.detail], ["failed", "This type is not supported."]);
  answering(scene, { "start-attachment-upload": () => new Promise(() => {}) });
  scene.conversation.chat.uploads.retry(upload.token);
  assert.deepEqual(scene.conversation.state.uploads.map(({ state }) => state), ["uploading"]);
});
