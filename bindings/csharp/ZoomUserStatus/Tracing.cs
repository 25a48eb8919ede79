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
        public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("zoom_user_status.update.duration", "s", "How long one update took, from the call to its result, with all its retries. Not measured for the users of a batch that blocks.");

        /// <summary>Starts a span that does not become Activity.Current: it may end elsewhere.</summary>
        public static Activity? Start(string name, Operation operation, Activity? parent)
        {
            if (!Source.HasListeners()) return null;
            Activity? current = Activity.Current;
            Activity? span = Source.StartActivity(name, ActivityKind.Client, parent?.Context ?? default, IsUpdate(operation) ? new[] { Tag(operation) } : null);
            Activity.Current = current;
            return span;
        }

        public static void Stop(Activity span)
        {
            Activity? current = Activity.Current;
            span.Dispose();
            Activity.Current = current;
        }

        public static bool IsUpdate(Operation operation) => operation > Operation.Read;

        public static KeyValuePair<string, object?> Tag(Operation operation) => new KeyValuePair<string, object?>("zus.action", operation switch
        {
            Operation.Activate => "activate",
            Operation.Deactivate => "deactivate",
            Operation.ClockIn => "clock_in",
            _ => "clock_out",
        });

        public static KeyValuePair<string, object?> Tag(UserStatusCode code) => new KeyValuePair<string, object?>("zus.code", UserStatusResult.NameOf(code));

        public static void Fail(Activity span, string error) => span.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error, error);
    }

    /// <summary>The span of one call, and the figures of an update.</summary>
    internal readonly struct CallTrace
    {
        private readonly Activity? _span;
        private readonly Operation _operation;
        private readonly long _started;

        private CallTrace(Operation operation, Activity? batch)
        {
            _operation = operation;
            _span = Tracing.Start(operation switch
            {
                Operation.CheckCredentials => "ZoomUserStatus.CheckCredentials",
                Operation.Read => "ZoomUserStatus.GetStatus",
                _ => "ZoomUserStatus.Update",
            }, operation, batch);
            _started = Stopwatch.GetTimestamp();
        }

        public static CallTrace Start(Operation operation, BatchTrace batch = default) => new CallTrace(operation, batch.Span);

        public UserStatusResult Stop(UserStatusResult result)
        {
            Count(_operation, result);
            if (Tracing.IsUpdate(_operation) && Tracing.Duration.Enabled)
                Tracing.Duration.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, Tracing.Tag(_operation), Tracing.Tag(result.Code));
            if (_span is null) return result;
            KeyValuePair<string, object?> code = Tracing.Tag(result.Code);
            _span.SetTag(code.Key, code.Value).SetTag("zus.http_status", result.HttpStatus).SetTag("zus.attempts", result.Attempts);
            if (!result.IsSuccess) Tracing.Fail(_span, (string)code.Value!);
            Tracing.Stop(_span);
            return result;
        }

        public void Stop(Exception e)
        {
            if (_span is null) return;
            Tracing.Fail(_span, e.GetType().FullName!);
            Tracing.Stop(_span);
        }

        public static void Count(Operation operation, UserStatusResult result)
        {
            if (!Tracing.IsUpdate(operation) || (result.Code == UserStatusCode.Cancelled && result.Attempts == 0)) return; // never sent
            if (Tracing.Updates.Enabled) Tracing.Updates.Add(1, Tracing.Tag(operation), Tracing.Tag(result.Code));
            if (Tracing.Attempts.Enabled) Tracing.Attempts.Add(result.Attempts, Tracing.Tag(operation));
        }
    }

    /// <summary>The span of a batch. Where it blocks, its users are only counted: when each began is not known.</summary>
    internal readonly struct BatchTrace : IDisposable
    {
        private BatchTrace(Operation operation) => Span = Tracing.Start(operation == Operation.Read ? "ZoomUserStatus.GetStatusMany" : "ZoomUserStatus.UpdateMany", operation, null);

        public Activity? Span { get; }

        public static BatchTrace Start(Operation operation) => new BatchTrace(operation);

        public UserStatusBatch Stop(UserStatusBatch batch)
        {
            if (Span is null) return batch;
            KeyValuePair<string, object?> code = Tracing.Tag(batch.Code);
            Span.SetTag(code.Key, code.Value).SetTag("zus.not_sent", batch.NotSent.Count);
            if (!batch.IsSuccess) Tracing.Fail(Span, (string)code.Value!);
            return batch;
        }

        public void Dispose()
        {
            if (Span != null) Tracing.Stop(Span);
        }
    }
#else
#pragma warning disable CA1822 // could be static: these have the shape of those above
    internal readonly struct CallTrace
    {
        public static CallTrace Start(Operation _, BatchTrace __ = default) => default;
        public UserStatusResult Stop(UserStatusResult result) => result;
        public void Stop(Exception _) { }
        public static void Count(Operation _, UserStatusResult __) { }
    }

    internal readonly struct BatchTrace : IDisposable
    {
        public static BatchTrace Start(Operation _) => default;
        public UserStatusBatch Stop(UserStatusBatch batch) => batch;
        public void Dispose() { }
    }
#endif
}
