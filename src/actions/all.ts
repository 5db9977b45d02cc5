/** Every action there is, one line for each: docs/adding-an-action.md. */
export { exportOrders } from './export-orders.ts';
export { flagDisable, flagEnable } from './flag.ts';
export { notifyEmail } from './notify-email.ts';
export { notifyWebhook } from './notify-webhook.ts';
export { orderCancel } from './order-cancel.ts';
export { orderRefund } from './order-refund.ts';
export { tagOrder } from './tag-order.ts';
