import { Client, DailyLimitReachedError, UserNotFoundError } from 'zoom-user-status';

const zoom = Client.fromEnv();
PAGE
