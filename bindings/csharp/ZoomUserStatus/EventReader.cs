using System;
using System.Threading;

namespace ZoomUserStatus
{
    /// <summary>A queue of the native library's, and the one thread that takes its events.</summary>
    internal sealed class EventReader
    {
        /// <summary>
        /// How long the thread stays in native code, in milliseconds. Mono's exit, and the unloading of an AppDomain, wait until it has come back.
        /// </summary>
#if NET8_0_OR_GREATER
        private const uint Stay = uint.MaxValue;
#else
        private const uint Stay = 100;
#endif

        private static readonly object Lock = new object();
        private static volatile EventReader? s_results;

        private readonly QueueHandle _queue = new QueueHandle();
        private readonly string _name;
        private readonly Action<nint> _take;
        private bool _started;
        private volatile bool _ended;

        /// <summary>Makes the queue.</summary>
        /// <param name="name">The thread's name.</param>
        /// <param name="take">Called with each event on the thread; owns it, and throws nothing.</param>
        public EventReader(string name, Action<nint> take)
        {
            _name = name;
            _take = take;
        }

        /// <summary>The one for the results of all clients' started calls.</summary>
        public static EventReader Results
        {
            get
            {
                if (s_results is EventReader there) return there;
                lock (Lock)
                {
                    if (s_results != null) return s_results;
                    var reader = new EventReader("ZoomUserStatus", StartedCall.Take);
                    reader.Start();
                    return s_results = reader;
                }
            }
        }

        /// <summary>To hand to native calls.</summary>
        public nint Queue => _queue.Pointer;

        /// <summary>Starts the thread.</summary>
        public void Start()
        {
            var thread = new Thread(Read) { IsBackground = true, Name = _name };
            // Nothing of the caller's that flows (AsyncLocal, Activity.Current) is to stay on it.
            AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? (AsyncFlowControl?)null : ExecutionContext.SuppressFlow();
            try
            {
                thread.Start();
                _started = true;
            }
            finally { flow?.Undo(); }
        }

        /// <summary>Ends the thread and frees the queue, and doesn't wait for it.</summary>
        public void End()
        {
            lock (_queue)
            {
                if (_ended) return;
                _ended = true;
                if (_started) NativeMethods.zus_queue_wake(Queue);
                else _queue.Dispose();
            }
        }

        private void Read()
        {
            while (true)
            {
                bool last = _ended; // what is there is taken then
                nint e = NativeMethods.zus_queue_next(Queue, last ? 0 : Stay);
                if (e != 0) _take(e);
                else if (last) break;
            }
            lock (_queue) _queue.Dispose(); // not before End has woken it
        }

        // ZUS_EVENT_RESULT, _LOG, _TOKEN
        public static bool IsResult(nint e) => NativeMethods.zus_event_kind(e) == 1;
        public static bool IsLogLine(nint e) => NativeMethods.zus_event_kind(e) == 2;
        public static bool IsTokenRequest(nint e) => NativeMethods.zus_event_kind(e) == 3;
    }
}
