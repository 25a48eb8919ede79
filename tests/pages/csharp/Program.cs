// Runs the block of a page that the argument names.
await (Task)typeof(Program).Assembly.GetType(args[0], throwOnError: true)!.GetMethod("Run")!.Invoke(null, null)!;
