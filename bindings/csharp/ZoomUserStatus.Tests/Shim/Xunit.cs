// Compiled only where xunit itself is not to be had: the few members of it that the tests use, and a runner.
// Under the SDK (ZoomUserStatus.Tests.csproj) this folder is left out, and the real xunit runs the same tests.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace Xunit
{
    [AttributeUsage(AttributeTargets.Method)]
    public class FactAttribute : Attribute { public string? Skip { get; set; } }

    public sealed class TheoryAttribute : FactAttribute { }

    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    public sealed class InlineDataAttribute : Attribute
    {
        public InlineDataAttribute(params object?[]? data) => Data = data ?? new object?[] { null };
        public object?[] Data { get; }
    }

    [AttributeUsage(AttributeTargets.Assembly)]
    public sealed class CollectionBehaviorAttribute : Attribute { public bool DisableTestParallelization { get; set; } }

    public sealed class XunitException : Exception { public XunitException(string m) : base(m) { } }

    public static class Assert
    {
        public static void Equal<T>(T expected, T actual)
        {
            if (!EqualityComparer<T>.Default.Equals(expected, actual)) throw new XunitException($"want <{expected}>, got <{actual}>");
        }
        public static void Equal<T>(IEnumerable<T> expected, IEnumerable<T> actual)
        {
            if (!expected.SequenceEqual(actual)) throw new XunitException($"want <{string.Join(", ", expected)}>, got <{string.Join(", ", actual)}>");
        }
        public static void True(bool condition, string? userMessage = null) { if (!condition) throw new XunitException(userMessage ?? "not true"); }
        public static void False(bool condition, string? userMessage = null) => True(!condition, userMessage ?? "not false");
        public static void Null(object? o) => True(o is null, $"want null, got <{o}>");
        public static void NotNull(object? o) => True(o != null, "null");
        public static void Same(object? expected, object? actual) => True(ReferenceEquals(expected, actual), $"want the same object as <{expected}>, got <{actual}>");
        public static void Contains(string expected, string actual) => True(actual.Contains(expected), $"<{expected}> is not in <{actual}>");
        public static void DoesNotContain(string unwanted, string actual) => True(!actual.Contains(unwanted), $"<{unwanted}> is in <{actual}>");
        public static void StartsWith(string expected, string actual) => True(actual.StartsWith(expected, StringComparison.Ordinal), $"<{actual}> does not start with <{expected}>");
        public static void InRange<T>(T actual, T low, T high) where T : IComparable => True(actual.CompareTo(low) >= 0 && actual.CompareTo(high) <= 0, $"<{actual}> is not in {low}..{high}");

        private static T Check<T>(Exception? e, bool exact) where T : Exception
        {
            if (e is T wanted && (!exact || e.GetType() == typeof(T))) return wanted; // Throws wants the exact type, as in xunit
            throw new XunitException(e is null ? "did not throw " + typeof(T).Name : $"want {typeof(T).Name}, got {e}");
        }
        private static Exception? Catch(Action code) { try { code(); return null; } catch (Exception e) { return e; } }
        private static async Task<Exception?> Catch(Func<Task> code) { try { await code(); return null; } catch (Exception e) { return e; } }
        public static T Throws<T>(Action testCode) where T : Exception => Check<T>(Catch(testCode), true);
        public static T Throws<T>(Func<object?> testCode) where T : Exception => Check<T>(Catch(() => { testCode(); }), true);
        public static T ThrowsAny<T>(Action testCode) where T : Exception => Check<T>(Catch(testCode), false);
        public static T ThrowsAny<T>(Func<object?> testCode) where T : Exception => Check<T>(Catch(() => { testCode(); }), false);
        public static async Task<T> ThrowsAsync<T>(Func<Task> testCode) where T : Exception => Check<T>(await Catch(testCode), true);
        public static async Task<T> ThrowsAnyAsync<T>(Func<Task> testCode) where T : Exception => Check<T>(await Catch(testCode), false);
    }

    internal static class Runner
    {
        private static int s_ok, s_bad, s_skipped;

        private static int Main(string[] filter)
        {
            Console.WriteLine("# " + Runtime());
            foreach (Type t in typeof(Runner).Assembly.GetTypes().OrderBy(x => x.FullName, StringComparer.Ordinal))
                foreach (MethodInfo m in t.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
                {
                    var fact = (FactAttribute?)Attribute.GetCustomAttribute(m, typeof(FactAttribute));
                    string name = t.Name + "." + m.Name;
                    if (fact is null || (filter.Length > 0 && !filter.Any(f => name.Contains(f)))) continue;
                    if (fact.Skip != null) { s_skipped++; Console.WriteLine("skip " + name + ": " + fact.Skip); continue; }
                    if (fact is TheoryAttribute)
                        foreach (InlineDataAttribute row in Attribute.GetCustomAttributes(m, typeof(InlineDataAttribute)))
                            Run(t, m, row.Data, $"{name}({string.Join(", ", row.Data)})");
                    else Run(t, m, null, name);
                }
            Console.WriteLine($"{s_ok} passed, {s_bad} failed, {s_skipped} skipped");
            return s_bad == 0 && s_ok > 0 ? 0 : 1;
        }

        private static void Run(Type t, MethodInfo m, object?[]? row, string name)
        {
            Stopwatch watch = Stopwatch.StartNew();
            try
            {
                object? o = m.IsStatic ? null : Activator.CreateInstance(t); // a fresh instance per test, as in xunit
                try { (m.Invoke(o, row) as Task)?.GetAwaiter().GetResult(); }
                finally { (o as IDisposable)?.Dispose(); }
                s_ok++;
                Console.WriteLine($"ok   {Line(name)}  {watch.ElapsedMilliseconds} ms");
            }
            catch (Exception e)
            {
                s_bad++;
                Console.WriteLine("FAIL " + Line(name) + ": " + (e is TargetInvocationException ? e.InnerException : e));
            }
        }

        private static string Line(string name) => new string(name.Select(c => char.IsControl(c) ? '?' : c).ToArray());

        private static string Runtime()
        {
            Type? mono = Type.GetType("Mono.Runtime");
            if (mono != null) return "Mono " + mono.GetMethod("GetDisplayName", BindingFlags.NonPublic | BindingFlags.Static)!.Invoke(null, null);
#if NETFRAMEWORK // RuntimeInformation came with .NET Framework 4.7.1
            return "CLR " + Environment.Version;
#else
            return System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription;
#endif
        }
    }
}
