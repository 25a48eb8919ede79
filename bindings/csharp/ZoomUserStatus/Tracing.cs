using System;
#if NET8_0_OR_GREATER
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;
#endif

// Spans and metrics for OpenTelemetry and dotnet-counters, from .NET 8 on: netstandard2.0 would need packages for them. No tag holds a user.
// OpenTelemetry's names for HTTP are not used: they promise a span for each request, and the C API shows updates only.
namespace ZoomUserStatus
{
#if NET8_0_OR_GREATER
    internal static class Tracing
    {
        private static readonly ActivitySource Source = new ActivitySource("ZoomUserStatus");
        private static readonly Meter Meter = new Meter("ZoomUserStatus");
        public static readonly Counter<long> Updates = Meter.CreateCounter<long>("zoom_user_status.updates", "{update}", "Users whose update has ended, by action and code.");
        public static readonly Counter<long> Attempts = Meter.CreateCounter<long>("zoom_user_status.attempts", "{attempt}", "Attempts of these updates, retries included.");
        public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("zoom_user_status.update.duration", "s", "How long one update took, from the call to its result, with all its retries. Not measured for the users of a batch.");

        public static Activity? Start(string name, UserStatusAction action) =>
            Source.HasListeners() ? Source.StartActivity(name, ActivityKind.Client, parentContext: default, new[] { Tag(action) }) : null;

        public static KeyValuePair<string, object?> Tag(UserStatusAction action) => new KeyValuePair<string, object?>("zus.action", action switch
        {
            UserStatusAction.Activate => "activate",
            UserStatusAction.Deactivate => "deactivate",
            UserStatusAction.ClockIn => "clock_in",
            _ => "clock_out",
        });

        public static KeyValuePair<string, object?> Tag(UserStatusCode code) => new KeyValuePair<string, object?>("zus.code", UserStatusResult.NameOf(code));

        public static void Fail(Activity? span, string error) => span?.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error, error);
    }

    /// <summary>The span and the figures of one update.</summary>
    internal readonly struct UpdateTrace
    {
        private readonly Activity? _span;
        private readonly UserStatusAction _action;
        private readonly long _started;

        private UpdateTrace(UserStatusAction action)
        {
            _action = action;
            _span = Tracing.Start("ZoomUserStatus.Update", action);
            _started = Stopwatch.GetTimestamp();
        }

        public static UpdateTrace Start(UserStatusAction action) => new UpdateTrace(action);

        public UserStatusResult Stop(UserStatusResult result)
        {
            Count(_action, result);
            if (Tracing.Duration.Enabled) Tracing.Duration.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, Tracing.Tag(_action), Tracing.Tag(result.Code));
            if (_span is null) return result;
            KeyValuePair<string, object?> code = Tracing.Tag(result.Code);
            _span.SetTag(code.Key, code.Value).SetTag("zus.http_status", result.HttpStatus).SetTag("zus.attempts", result.Attempts);
            if (!result.IsSuccess) Tracing.Fail(_span, (string)code.Value!);
            _span.Dispose();
            return result;
        }

        public void Stop(Exception e)
        {
            Tracing.Fail(_span, e.GetType().FullName!);
            _span?.Dispose();
        }

        public static void Count(UserStatusAction action, UserStatusResult result)
        {
            if (Tracing.Updates.Enabled) Tracing.Updates.Add(1, Tracing.Tag(action), Tracing.Tag(result.Code));
            if (Tracing.Attempts.Enabled) Tracing.Attempts.Add(result.Attempts, Tracing.Tag(action));
        }
    }

    /// <summary>The span of a batch. Its users are counted one by one; when each began is not known.</summary>
    internal readonly struct BatchTrace
    {
        private readonly Activity? _span;

        private BatchTrace(UserStatusAction action) => _span = Tracing.Start("ZoomUserStatus.UpdateMany", action);

        public static BatchTrace Start(UserStatusAction action) => new BatchTrace(action);

        public UserStatusBatch Stop(UserStatusBatch batch)
        {
            if (_span is null) return batch;
            KeyValuePair<string, object?> code = Tracing.Tag(batch.Code);
            _span.SetTag(code.Key, code.Value).SetTag("zus.not_sent", batch.NotSent.Count);
            if (!batch.IsSuccess) Tracing.Fail(_span, (string)code.Value!);
            _span.Dispose();
            return batch;
        }

        public void Stop(Exception e)
        {
            Tracing.Fail(_span, e.GetType().FullName!);
            _span?.Dispose();
        }
    }
#else
#pragma warning disable CA1822 // could be static: these have the shape of those above
    internal readonly struct UpdateTrace
    {
        public static UpdateTrace Start(UserStatusAction _) => default;
        public UserStatusResult Stop(UserStatusResult result) => result;
        public void Stop(Exception _) { }
        public static void Count(UserStatusAction _, UserStatusResult __) { }
    }

    internal readonly struct BatchTrace
    {
        public static BatchTrace Start(UserStatusAction _) => default;
        public UserStatusBatch Stop(UserStatusBatch batch) => batch;
        public void Stop(Exception _) { }
    }
#endif
}
